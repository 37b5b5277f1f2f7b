const SMALLEST = 64 * 1024
const LARGEST = 64 * 1024 * 1024

/**
 * Memory for what comes bit by bit and stays, as the log does: pieces are cut from slabs, each slab as
 * large as all before it together, from 64 KiB to 64 MiB. The garbage collector runs after every few
 * megabytes of arrays that it has to free, and here it has few to free. A slab is freed when none of its
 * pieces is in use any more, so one that is kept keeps them all.
 */
export class Slab {
  /** To be written only between `end` and what was reserved. */
  bytes = new Uint8Array(0)
  /** Where the open piece ends. */
  end = 0
  #start = 0
  #total = 0

  /** @param largest Bytes of the largest slab that is taken in advance. */
  constructor(private readonly largest = LARGEST) {}

  /** Bytes of the open piece. */
  get size(): number {
    return this.end - this.#start
  }

  /** Makes room for `size` bytes more in the open piece, which may move. */
  reserve(size: number): void {
    if (this.end + size <= this.bytes.length) return
    const open = this.bytes.subarray(this.#start, this.end)
    const wanted = Math.min(this.largest, Math.max(SMALLEST, this.#total))
    this.bytes = new Uint8Array(Math.max(wanted, open.length + size))
    this.bytes.set(open)
    this.#total += this.bytes.length
    this.#start = 0
    this.end = open.length
  }

  /** Writes behind the open piece, where there must be room. */
  add(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.end)
    this.end += bytes.length
  }

  /** Ends the open piece. Its bytes are never written again. */
  take(): Uint8Array {
    const piece = this.bytes.subarray(this.#start, this.end)
    this.#start = this.end
    return piece
  }
}
