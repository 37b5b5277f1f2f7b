import type { Message } from '../../../lib/messages.ts'
import { checksumOf, joinChecksums } from '../../checksums.ts'
import { bodyLength, headLength, writeHead } from '../codec.ts'
import { HEADER_BYTES, writeHeader } from './frame.ts'

const SLAB_BYTES = 64 * 1024
/** Bodies up to this size are copied behind their head; larger ones go out from where they lie. */
const COPIED_BYTES = 4 * 1024

const NOTHING = new Uint8Array(0)

/**
 * Turns messages into the few pieces of memory in which they go to a socket: heads and small bodies
 * one after another in a slab, large bodies as they are.
 */
export class Sheet {
  #slab: Uint8Array = NOTHING
  #start = 0
  #end = 0
  #pieces: Uint8Array[] = []
  /** Bytes written since the pieces were last taken. */
  bytes = 0

  add(message: Message): void {
    const length = bodyLength(message)
    const isCopied = length <= COPIED_BYTES
    this.#reserve(HEADER_BYTES + headLength(message) + (isCopied ? length : 0))
    const start = this.#end
    this.#end = writeHead(message, this.#slab, start + HEADER_BYTES)
    writeHeader(this.#slab, start, this.#end, 'message', length, bodyCrc(message))
    this.bytes += this.#end - start + length
    if (length > 0) this.#addBodies(message, isCopied)
  }

  /** What was added since the last time. */
  take(): Uint8Array[] {
    this.#cut()
    const pieces = this.#pieces
    this.#pieces = []
    this.bytes = 0
    return pieces
  }

  #addBodies(message: Message, isCopied: boolean): void {
    if (!isCopied) this.#cut()
    for (const bytes of bodies(message)) {
      if (isCopied) {
        this.#slab.set(bytes, this.#end)
        this.#end += bytes.length
      } else this.#pieces.push(bytes)
    }
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#slab.length) return
    this.#cut()
    this.#slab = new Uint8Array(Math.max(size, SLAB_BYTES))
    this.#start = this.#end = 0
  }

  #cut(): void {
    if (this.#end > this.#start) this.#pieces.push(this.#slab.subarray(this.#start, this.#end))
    this.#start = this.#end
  }
}

function bodies(message: Message): readonly Uint8Array[] {
  switch (message.type) {
    case 'append':
      return message.batches.map(({ bytes }) => bytes)
    case 'install':
    case 'forward':
      return [message.bytes]
    default:
      return []
  }
}

const bodyCrc = (message: Message): number =>
  bodies(message).reduce(
    (crc, bytes, i) =>
      i === 0 ? checksumOf(bytes) : joinChecksums(crc, checksumOf(bytes), bytes.length),
    0,
  )
