import { LENGTH_BYTES, writeLength } from '../../lib/batch.ts'

/** Batches are cut from slabs, so that a small one costs no allocation: so many bytes at least. */
const SMALLEST_SLAB = 64 * 1024
/** And room for so many batches of the present size, so that a large one is seldom moved. */
const BATCHES_PER_SLAB = 8
const LARGEST_SLAB = 4 * 1024 * 1024

/** Packs commands into the bytes of a batch as they come, one copy each. */
export class Packer {
  #slab = new Uint8Array(0)
  #start = 0
  #end = 0

  /** Bytes of the batch that is open. */
  get size(): number {
    return this.#end - this.#start
  }

  add(payload: Uint8Array): void {
    const { length } = payload
    if (this.#end + LENGTH_BYTES + length > this.#slab.length) this.#grow(LENGTH_BYTES + length)
    writeLength(this.#slab, this.#end, length)
    this.#slab.set(payload, this.#end + LENGTH_BYTES)
    this.#end += LENGTH_BYTES + length
  }

  /** Ends the open batch. Its bytes are never written again. */
  take(): Uint8Array {
    const bytes = this.#slab.subarray(this.#start, this.#end)
    this.#start = this.#end
    return bytes
  }

  #grow(needed: number): void {
    const open = this.#slab.subarray(this.#start, this.#end)
    const wanted = Math.min(LARGEST_SLAB, BATCHES_PER_SLAB * (open.length + needed))
    const slab = new Uint8Array(Math.max(SMALLEST_SLAB, wanted, 2 * (open.length + needed)))
    slab.set(open)
    this.#slab = slab
    this.#start = 0
    this.#end = open.length
  }
}
