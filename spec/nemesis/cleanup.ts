/**
 * What has to be undone at the end, the newest first. All of it is synchronous, so that it can also be
 * done while the process exits.
 */
export class Cleanup {
  readonly #undos: (() => void)[] = []
  readonly #atExit = (): void => this.run()

  constructor() {
    // The newest clean-up comes first: what it stands on is another's to remove.
    process.prependListener('exit', this.#atExit)
  }

  defer(undo: () => void): void {
    this.#undos.push(undo)
  }

  /** Undoes everything once. What fails is told, and does not keep the rest from being undone. */
  run(): void {
    process.off('exit', this.#atExit)
    for (let undo = this.#undos.pop(); undo !== undefined; undo = this.#undos.pop()) {
      try {
        undo()
      } catch (error) {
        console.error(`could not be cleaned up: ${(error as Error).message}`)
      }
    }
  }
}
