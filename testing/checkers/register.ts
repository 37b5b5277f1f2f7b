/** What a key holds, as a number: equal states have equal numbers. */
export type Value = number

/** What a key holds at first. */
export const NOTHING: Value = 0

/** Something that nobody ever saw or expected: which of all such strings it is makes no difference. */
export const UNSEEN: Value = 1

/**
 * The strings that a key can hold, numbered. A string from which no append leads to one that was seen is
 * {@link UNSEEN}, so that the orders of operations that nobody looked at are all one.
 */
export class Register {
  readonly #seen: readonly string[]
  readonly #texts: string[] = ['', '']
  readonly #values = new Map<string, Value>()

  /** @param seen What was read or expected. */
  constructor(seen: Iterable<string>) {
    this.#seen = [...new Set(seen)].sort((a, b) => (a < b ? -1 : 1))
  }

  valueOf(text: string | undefined): Value {
    if (text === undefined) return NOTHING
    const known = this.#values.get(text)
    if (known !== undefined) return known
    const value = this.#isBegun(text) ? this.#texts.push(text) - 1 : UNSEEN
    this.#values.set(text, value)
    return value
  }

  append(value: Value, word: string): Value {
    return value === UNSEEN ? UNSEEN : this.valueOf(this.#texts[value]! + word)
  }

  /** Whether appends can make `to` of `from`. */
  leads(from: Value, to: Value): boolean {
    if (from === to) return true
    return from !== UNSEEN && to !== NOTHING && this.#texts[to]!.startsWith(this.#texts[from]!)
  }

  /** Whether `word` occurs in anything that was seen. */
  isSeenIn(word: string): boolean {
    return this.#seen.some((text) => text.includes(word))
  }

  describe(value: Value): string {
    if (value === NOTHING) return 'nothing'
    return value === UNSEEN ? 'something unseen' : JSON.stringify(this.#texts[value])
  }

  /** Whether something that was seen begins with `text`: it would stand right behind it in order. */
  #isBegun(text: string): boolean {
    let low = 0
    let high = this.#seen.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#seen[middle]! < text) low = middle + 1
      else high = middle
    }
    return this.#seen[low]?.startsWith(text) ?? false
  }
}
