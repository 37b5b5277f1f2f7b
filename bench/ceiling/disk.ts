import { closeSync, fdatasync, fdatasyncSync, openSync, writev, writevSync } from 'node:fs'

/** A log file, which grows: what was written stays. One write is in flight, with its fdatasync. */
export class Disk {
  readonly #fd: number
  #position = 0
  #isBusy = false
  #chunks: Uint8Array[] = []
  #waiting: (() => void)[] = []

  /** @param isBlocking Hold up the whole process for each write, which spares two switches of threads. */
  constructor(
    path: string,
    private readonly isBlocking: boolean,
  ) {
    this.#fd = openSync(path, 'w')
    process.once('exit', () => closeSync(this.#fd))
  }

  /** Calls back when the disk has the chunks. What comes during a write goes into the next one. */
  write(chunks: readonly Uint8Array[], done: () => void): void {
    this.#chunks.push(...chunks)
    this.#waiting.push(done)
    if (!this.#isBusy) this.#begin()
  }

  #begin(): void {
    const chunks = this.#chunks
    const waiting = this.#waiting
    this.#isBusy = true
    this.#chunks = []
    this.#waiting = []
    const position = this.#position
    this.#position += chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const finish = (): void => {
      this.#isBusy = false
      if (this.#chunks.length > 0) this.#begin()
      for (const done of waiting) done()
    }
    if (this.isBlocking) {
      this.#written(writevSync(this.#fd, chunks, position), position)
      fdatasyncSync(this.#fd)
      finish()
    } else {
      writev(this.#fd, chunks, position, (error, count) => {
        if (error !== null) throw error
        this.#written(count, position)
        fdatasync(this.#fd, (failure) => {
          if (failure !== null) throw failure
          finish()
        })
      })
    }
  }

  #written(count: number, position: number): void {
    const size = this.#position - position
    if (count !== size) throw new Error(`${count} of ${size} bytes were written`)
  }
}
