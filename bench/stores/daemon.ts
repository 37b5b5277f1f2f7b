import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'

/** A program that runs until it is stopped, and may be started again. */
export class Daemon {
  #child: ChildProcess

  constructor(
    private readonly command: string,
    private readonly args: readonly string[],
    /** The file to which it says what it has to say. */
    private readonly log: string,
  ) {
    this.#child = this.#spawn()
  }

  restart(): void {
    this.#child = this.#spawn()
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  #spawn(): ChildProcess {
    const output = openSync(this.log, 'a')
    const child = spawn(this.command, this.args, { stdio: ['ignore', output, output] })
    closeSync(output)
    // It must not outlive whoever measures it.
    const end = (): void => void child.kill('SIGKILL')
    process.once('exit', end)
    child.once('exit', () => process.removeListener('exit', end))
    return child
  }
}
