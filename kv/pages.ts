import type { Version } from './machine.ts'

/** What happened to a key: it has another value, or is gone; its time may have come, and more keys go with the same entry. */
export const PUT = 0
export const DELETED = 1
export const EXPIRED = 2
export const EXPIRED_WITH_MORE = 3
export type Kind = typeof PUT | typeof DELETED | typeof EXPIRED | typeof EXPIRED_WITH_MORE

/** A change as it is read from its page. */
export interface Row {
  readonly kind: Kind
  readonly key: string
  /** A view on the page; empty where there is none. */
  readonly value: Uint8Array
  readonly version: Version
}

/** Changes in one page. */
const LENGTH = 1024

const SMALLEST_BYTES = 16 * 1024

/** A queue of changes without an object for each: the garbage collector would have to move a hundred thousand of them. */
export class Pages {
  /** Begins with the page of the first change, of which `#head` changes are gone. */
  #pages: Page[] = []
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(kind: Kind, key: string, value: Uint8Array, version: Version): void {
    const end = this.#head + this.#length++
    if (end === this.#pages.length * LENGTH) this.#pages.push(new Page())
    this.#pages.at(-1)!.push(kind, key, value, version)
  }

  at(i: number): Row | undefined {
    if (!(i >= 0 && i < this.#length)) return undefined
    const at = this.#head + i
    return this.#pages[Math.floor(at / LENGTH)]!.row(at % LENGTH)
  }

  versionAt(i: number): Version {
    const at = this.#head + i
    return this.#pages[Math.floor(at / LENGTH)]!.versions[at % LENGTH]!
  }

  /** Bytes of a change: of its key, in units of UTF-16, and of its value. */
  sizeAt(i: number): number {
    const at = this.#head + i
    return this.#pages[Math.floor(at / LENGTH)]!.size(at % LENGTH)
  }

  /** Forgets the first. */
  shift(): void {
    this.#length--
    if (++this.#head < LENGTH) return
    this.#pages.shift()
    this.#head = 0
  }
}

class Page {
  readonly versions: Version[] = []
  readonly #keys: string[] = []
  readonly #kinds: Kind[] = []
  /** Where each value ends, and the next one begins. */
  readonly #ends: number[] = []
  #bytes = new Uint8Array(SMALLEST_BYTES)
  #end = 0

  push(kind: Kind, key: string, value: Uint8Array, version: Version): void {
    const end = this.#end + value.length
    if (end > this.#bytes.length) this.#grow(end)
    this.#bytes.set(value, this.#end)
    this.#end = end
    this.#ends.push(end)
    this.#keys.push(key)
    this.#kinds.push(kind)
    this.versions.push(version)
  }

  row(i: number): Row {
    const value = this.#bytes.subarray(this.#start(i), this.#ends[i])
    return { kind: this.#kinds[i]!, key: this.#keys[i]!, value, version: this.versions[i]! }
  }

  size(i: number): number {
    return this.#keys[i]!.length + this.#ends[i]! - this.#start(i)
  }

  #start(i: number): number {
    return i === 0 ? 0 : this.#ends[i - 1]!
  }

  #grow(least: number): void {
    const bytes = new Uint8Array(Math.max(least, 2 * this.#bytes.length))
    bytes.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = bytes
  }
}
