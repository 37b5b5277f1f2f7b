import { Slab } from '../../lib/slab.ts'
import { crc32 } from '../crc32.ts'
import { writeU32, writeU53 } from '../transport/integers.ts'
import { HEADER_BYTES, writeHeader } from '../transport/tcp/frame.ts'

/** A slab of every connection: there may be hundreds of them. */
export const SLAB_BYTES = 64 * 1024

const FRAME_BYTES = SLAB_BYTES / 2

/** What is said in one turn of the event loop, put together as one frame: its head, and items behind it. */
export class Sheaf {
  readonly #slab = new Slab(SLAB_BYTES)

  constructor(private readonly headBytes = 0) {}

  /** Bytes of the open frame; 0 when nothing was said. */
  get size(): number {
    return this.#slab.size
  }

  /** Whether the next item should begin another frame: a frame is of use only when all of it has come. */
  get isFull(): boolean {
    return this.size > FRAME_BYTES
  }

  /** Begins an item that takes so many bytes besides its pieces. */
  item(code: number, id: number, size: number): void {
    const slab = this.#slab
    if (slab.size === 0) {
      slab.reserve(HEADER_BYTES + this.headBytes + 5 + size)
      slab.end += HEADER_BYTES + this.headBytes
    } else slab.reserve(5 + size)
    slab.bytes[slab.end++] = code
    this.u32(id)
  }

  u8(value: number): void {
    this.#slab.bytes[this.#slab.end++] = value
  }

  u32(value: number): void {
    writeU32(this.#slab.bytes, this.#slab.end, value)
    this.#slab.end += 4
  }

  u53(value: number): void {
    writeU53(this.#slab.bytes, this.#slab.end, value)
    this.#slab.end += 8
  }

  /** Bytes behind their length. */
  piece(bytes: Uint8Array): void {
    this.#slab.reserve(4 + bytes.length)
    this.u32(bytes.length)
    this.#slab.add(bytes)
  }

  /** Ends the frame, with these numbers for its head. */
  take(...head: readonly number[]): Uint8Array {
    const frame = this.#slab.take()
    const end = HEADER_BYTES + this.headBytes
    head.forEach((number, i) => writeU53(frame, HEADER_BYTES + 8 * i, number))
    writeHeader(frame, 0, end, 'message', frame.length - end, crc32(frame.subarray(end)))
    return frame
  }
}
