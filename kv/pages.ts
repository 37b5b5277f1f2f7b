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
  /** Not to be written to; empty where there is none. */
  readonly value: Uint8Array
  readonly version: Version
}

/** Changes in one page. */
const LENGTH = 1024

const SMALLEST_BYTES = 16 * 1024

/** A value that is larger stays where it is: to copy it costs more than for the collector to move what it is known by. */
const LARGE_BYTES = 256

/** A queue of changes without an object for each small one: the garbage collector would have to move a hundred thousand of them. */
export class Pages {
  /** Begins with the page of the first change, of which `#head` changes are gone. */
  #pages: Page[] = []
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Takes a change in. A large value is kept, and must not be written to. */
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
  /** Where each value ends in the bytes, and the next one begins. */
  readonly #ends: number[] = []
  readonly #large = new Map<number, Uint8Array>()
  #bytes = new Uint8Array(SMALLEST_BYTES)
  #end = 0

  push(kind: Kind, key: string, value: Uint8Array, version: Version): void {
    if (value.length > LARGE_BYTES) this.#large.set(this.versions.length, value)
    else this.#add(value)
    this.#ends.push(this.#end)
    this.#keys.push(key)
    this.#kinds.push(kind)
    this.versions.push(version)
  }

  row(i: number): Row {
    const value = this.#large.get(i) ?? this.#bytes.subarray(this.#start(i), this.#ends[i])
    return { kind: this.#kinds[i]!, key: this.#keys[i]!, value, version: this.versions[i]! }
  }

  size(i: number): number {
    const bytes = this.#large.get(i)?.length ?? this.#ends[i]! - this.#start(i)
    return this.#keys[i]!.length + bytes
  }

  #start(i: number): number {
    return i === 0 ? 0 : this.#ends[i - 1]!
  }

  #add(value: Uint8Array): void {
    const end = this.#end + value.length
    if (end > this.#bytes.length) this.#grow(end)
    this.#bytes.set(value, this.#end)
    this.#end = end
  }

  #grow(least: number): void {
    const bytes = new Uint8Array(Math.max(least, 2 * this.#bytes.length))
    bytes.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = bytes
  }
}
