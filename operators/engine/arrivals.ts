import { Stopped } from '../../lib/errors.ts'
import type { Index } from '../../lib/types.ts'
import type { Asked } from './questions.ts'
import { guarded } from './report.ts'

/** Questions that wait until this server has applied an index, whatever the others do. */
export class Arrivals {
  #waiting: (Asked & { readonly index: Index })[] = []
  #stopped: Stopped | undefined

  /** Waits for `index`. The returned function takes the question back. */
  wait(index: Index, { answer, fail }: Asked): () => void {
    if (this.#stopped !== undefined) {
      fail(this.#stopped)
      return () => undefined
    }
    const question = { index, answer, fail }
    this.#waiting.push(question)
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== question)
    }
  }

  /** This server has applied everything through `index`. */
  reached(index: Index): void {
    if (this.#waiting.length === 0) return
    const ready = this.#waiting.filter((question) => question.index <= index)
    if (ready.length === 0) return
    this.#waiting = this.#waiting.filter((question) => question.index > index)
    for (const question of ready) guarded(() => question.answer())
  }

  stop(cause?: unknown): void {
    if (this.#stopped !== undefined) return
    const stopped = new Stopped('none', cause === undefined ? undefined : { cause })
    this.#stopped = stopped
    for (const question of this.#waiting.splice(0)) guarded(() => question.fail(stopped))
  }
}
