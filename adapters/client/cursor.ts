import { readU32, readU53 } from '../transport/integers.ts'

const NOTHING = new Uint8Array(0)

/** Reads what lies one behind the other. Past the end, or at a number that is none, it gives zeros and is broken. */
export class Cursor {
  isBroken = false
  #at = 0

  constructor(private readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.isBroken || this.#at === this.bytes.length
  }

  u8(): number {
    return this.#has(1) ? this.bytes[this.#at++]! : 0
  }

  u32(): number {
    if (!this.#has(4)) return 0
    this.#at += 4
    return readU32(this.bytes, this.#at - 4)
  }

  u53(): number {
    if (!this.#has(8)) return 0
    this.#at += 8
    const value = readU53(this.bytes, this.#at - 8)
    if (value >= 0) return value
    this.isBroken = true
    return 0
  }

  /** What `read` makes of bytes behind their length, where they lie. Throws what it throws. */
  read<T>(read: (bytes: Uint8Array, start: number, end: number) => T): T | undefined {
    const length = this.u32()
    if (!this.#has(length)) return undefined
    this.#at += length
    return read(this.bytes, this.#at - length, this.#at)
  }

  /** Bytes behind their length, as a view. */
  piece(): Uint8Array {
    const length = this.u32()
    if (!this.#has(length)) return NOTHING
    this.#at += length
    const { buffer, byteOffset } = this.bytes
    return new Uint8Array(buffer, byteOffset + this.#at - length, length)
  }

  #has(size: number): boolean {
    if (this.isBroken || this.#at + size > this.bytes.length) this.isBroken = true
    return !this.isBroken
  }
}
