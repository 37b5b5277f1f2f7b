import { Overloaded } from '../../lib/errors.ts'

/** How many questions may wait for their answer. */
export class Places {
  #taken = 0
  #isShort = false

  constructor(private readonly max: number) {}

  /** Takes a place, or says that there is none. */
  take(): Overloaded | undefined {
    if (this.#taken < this.max) {
      this.#taken++
      return undefined
    }
    this.#isShort = true
    return new Overloaded(`${this.max} questions wait already: try again later`)
  }

  leave(count = 1): void {
    this.#taken -= count
  }

  /** Whether there is a place again since somebody found none. Says so once. */
  hasRoomAgain(): boolean {
    if (!this.#isShort || this.#taken >= this.max) return false
    this.#isShort = false
    return true
  }
}
