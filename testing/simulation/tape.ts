import type { Millis } from '../../lib/types.ts'

/**
 * Everything that happened, one line each: hashed as it is written, and kept only when somebody wants to
 * read it. The hash is FNV-1a on two lanes: equal runs have equal hashes, byte for byte.
 */
export class Tape {
  readonly #lines: string[] | undefined
  #low = 0x811c9dc5
  #high = 0x9e3779b1

  constructor(isKept: boolean) {
    this.#lines = isKept ? [] : undefined
  }

  get lines(): readonly string[] | undefined {
    return this.#lines
  }

  get hash(): string {
    return [this.#high, this.#low].map((n) => (n >>> 0).toString(16).padStart(8, '0')).join('')
  }

  write(at: Millis, what: string): void {
    const line = `${Math.round(at * 1000)} ${what}`
    this.#lines?.push(line)
    let low = this.#low
    let high = this.#high
    for (let i = 0; i < line.length; i++) {
      const unit = line.charCodeAt(i)
      low = Math.imul(low ^ unit, 0x01000193)
      high = Math.imul(high ^ unit, 0x85ebca6b) ^ (high >>> 15)
    }
    this.#low = Math.imul(low ^ 10, 0x01000193)
    this.#high = high
  }
}
