import { beforeBlock, blocks, wholeBlocks } from './blocks.ts'

/** Room for the records of a moderate load. */
const FIRST_BYTES = 1 << 20

/** A page that grew beyond this for one large record is let go. */
const KEEP_BYTES = 8 << 20

/**
 * The next write, as it will lie in the file. It covers whole blocks: it begins with what stands already
 * in the block in which the last record ended, and ends with zeros.
 */
export class Page {
  #bytes = blocks(FIRST_BYTES)
  /** How many bytes of the first block are in the file already. */
  #kept = 0

  /** @param file What the file holds, from the beginning of any block. */
  constructor(file: Uint8Array) {
    this.start(file)
  }

  /** Where a record of `length` bytes is to be written. */
  room(length: number): Buffer {
    const needed = wholeBlocks(this.#kept + length)
    const isTooLarge = this.#bytes.length > KEEP_BYTES && needed <= KEEP_BYTES
    if (needed > this.#bytes.length || isTooLarge) {
      const old = this.#bytes.subarray(0, this.#kept)
      this.#bytes = blocks(Math.max(needed, FIRST_BYTES))
      this.#bytes.set(old)
    }
    return this.#bytes.subarray(this.#kept, this.#kept + length)
  }

  /** The blocks to write for a record of `length` bytes. */
  blocks(length: number): Uint8Array {
    const end = this.#kept + length
    this.#bytes.fill(0, end, wholeBlocks(end))
    return this.#bytes.subarray(0, wholeBlocks(end))
  }

  /** A record of `length` bytes is written: the next one begins where it ends. */
  advance(length: number): void {
    this.start(this.#bytes.subarray(0, this.#kept + length))
  }

  /** The next record begins where `file` ends. */
  start(file: Uint8Array): void {
    const last = file.subarray(beforeBlock(file.length))
    this.#bytes.set(last)
    this.#kept = last.length
  }
}
