import { HEADER_BYTES, writeHeader } from './frame.ts'

const FIRST_SIZE = 64 * 1024

/** The commands of one turn, laid out as the frame that goes to the followers and the file. */
export class Block {
  #bytes = new Uint8Array(FIRST_SIZE)
  #view = new DataView(this.#bytes.buffer)
  #length = HEADER_BYTES
  /** How many still read the bytes: only then may the block be filled again. */
  users = 0

  add(command: Uint8Array): void {
    const end = this.#length + 4 + command.length
    if (end > this.#bytes.length) this.#grow(end)
    this.#view.setUint32(this.#length, command.length, true)
    this.#bytes.set(command, this.#length + 4)
    this.#length = end
  }

  seal(last: number): Uint8Array {
    writeHeader(this.#bytes, this.#length - HEADER_BYTES, last)
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = HEADER_BYTES
  }

  #grow(size: number): void {
    const bytes = new Uint8Array(Math.max(size, 2 * this.#bytes.length))
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}
