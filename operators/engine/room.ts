/**
 * How many bytes of proposals may wait here to be judged. A leader that has too much is asked again with a single
 * command, and with twice as much whenever it takes something in: nobody encodes the same commands over and over.
 */
export class Room {
  #waiting = 0
  #limit: number
  #isDeclined = false
  /** The longest batch in bytes that may be made of more than one command. */
  batch: number

  constructor(
    /** Bytes that may wait, beyond which there is no room. */
    private readonly max: number,
    private readonly maxBatch: number,
  ) {
    this.#limit = max
    this.batch = Math.min(maxBatch, max)
  }

  get isFull(): boolean {
    return this.#isDeclined || this.#waiting > this.#limit
  }

  /** The leader has too much, and nothing says yet that it has less. */
  get isDeclined(): boolean {
    return this.#isDeclined
  }

  /** A batch goes on its way. */
  raised(bytes: number): void {
    this.#waiting += bytes
  }

  /** It is judged, whatever came of it. */
  judged(bytes: number): void {
    this.#waiting -= bytes
  }

  /** The leader has taken a batch in. */
  grow(bytes: number): void {
    this.#isDeclined = false
    if (this.#limit < this.max) this.#set(Math.min(this.max, 2 * this.#limit + bytes))
  }

  /** The leader has too much. */
  close(): void {
    this.#isDeclined = true
    this.#set(0)
  }

  /** The leader may be asked with one command. */
  open(): void {
    this.#isDeclined = false
  }

  #set(limit: number): void {
    this.#limit = limit
    this.batch = Math.min(this.maxBatch, limit)
  }
}
