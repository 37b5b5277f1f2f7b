import { LENGTH_BYTES, writeLength } from '../../lib/batch.ts'
import { HEADER_BYTES } from '../../lib/sessions.ts'
import { Slab } from '../../lib/slab.ts'

/** Packs commands into the bytes of a batch as they come, one copy each. */
export class Packer {
  readonly #slab = new Slab()

  /** Bytes of the batch that is open. */
  get size(): number {
    return this.#slab.size
  }

  add(payload: Uint8Array): void {
    const slab = this.#slab
    slab.reserve(LENGTH_BYTES + payload.length)
    writeLength(slab.bytes, slab.end, payload.length)
    slab.end += LENGTH_BYTES
    slab.add(payload)
  }

  /** The same with a header before the command, which `write` writes. */
  addWithHeader(payload: Uint8Array, write: (bytes: Uint8Array, at: number) => void): void {
    const slab = this.#slab
    const length = HEADER_BYTES + payload.length
    slab.reserve(LENGTH_BYTES + length)
    writeLength(slab.bytes, slab.end, length)
    write(slab.bytes, slab.end + LENGTH_BYTES)
    slab.end += LENGTH_BYTES + HEADER_BYTES
    slab.add(payload)
  }

  /** Ends the open batch. Its bytes are never written again. */
  take(): Uint8Array {
    return this.#slab.take()
  }
}
