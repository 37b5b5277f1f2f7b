/** An object, since those are compared faster with each other than with anything else. */
const GONE: unknown = {}

/**
 * Things by their numbers, in the order of these. Like a `Map`, for numbers of which nearly all come in their order and go about in it:
 * two lists find them without a hash, and leave no tables behind for the garbage collector.
 */
export class Numbered<T> {
  #numbers: number[] = []
  #things: unknown[] = []
  /** Those before it are gone. */
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** How many places it has, of which some are empty: at most twice its size, and 64. */
  get places(): number {
    return this.#numbers.length
  }

  /** The lowest number. */
  get lowest(): number | undefined {
    return this.#numbers[this.#head]
  }

  has(number: number): boolean {
    return this.#find(number) >= 0
  }

  get(number: number): T | undefined {
    const at = this.#find(number)
    return at < 0 ? undefined : (this.#things[at] as T)
  }

  set(number: number, thing: T): void {
    const numbers = this.#numbers
    const at = this.#placeOf(number)
    if (at === numbers.length) {
      numbers.push(number)
      this.#things.push(thing)
    } else if (numbers[at] === number) {
      if (this.#things[at] !== GONE) this.#size--
      this.#things[at] = thing
    } else {
      numbers.splice(at, 0, number)
      this.#things.splice(at, 0, thing)
    }
    this.#size++
  }

  /** Takes it out. */
  take(number: number): T | undefined {
    const at = this.#find(number)
    if (at < 0) return undefined
    const thing = this.#things[at] as T
    this.#things[at] = GONE
    this.#size--
    this.#tidy()
    return thing
  }

  /** Takes out all whose number is below. */
  drop(below: number): void {
    const numbers = this.#numbers
    for (; this.#head < numbers.length && numbers[this.#head]! < below; this.#head++) {
      if (this.#things[this.#head] !== GONE) this.#size--
      this.#things[this.#head] = GONE
    }
    this.#tidy()
  }

  clear(): void {
    this.drop(Infinity)
  }

  /** What is taken out meanwhile may come all the same. */
  *[Symbol.iterator](): Iterator<readonly [number, T]> {
    const [numbers, things] = [this.#numbers, this.#things]
    for (let at = this.#head; at < numbers.length; at++) {
      if (things[at] !== GONE) yield [numbers[at]!, things[at] as T]
    }
  }

  /** The place of a thing, or -1. */
  #find(number: number): number {
    const at = this.#placeOf(number)
    const isThere =
      at < this.#numbers.length && this.#numbers[at] === number && this.#things[at] !== GONE
    return isThere ? at : -1
  }

  /** Where a number is, or would be: the place of the first that is not below it. */
  #placeOf(number: number): number {
    const numbers = this.#numbers
    let low = this.#head
    let high = numbers.length
    if (low === high || numbers[high - 1]! < number) return high
    // Where none is missing, it is as far behind the lowest as it is above it.
    const likely = low + number - numbers[low]!
    if (likely <= low) return low
    if (likely < high && numbers[likely] === number) return likely
    while (low < high) {
      const middle = (low + high) >>> 1
      if (numbers[middle]! < number) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The lowest is one that is there, and at least half of all are. */
  #tidy(): void {
    const things = this.#things
    while (this.#head < things.length && things[this.#head] === GONE) this.#head++
    if (things.length <= 2 * this.#size + 64) return
    const isOneRun = things.length - this.#head === this.#size
    const isKept = (_: unknown, at: number): boolean => things[at] !== GONE
    this.#numbers = isOneRun ? this.#numbers.slice(this.#head) : this.#numbers.filter(isKept)
    this.#things = isOneRun ? things.slice(this.#head) : things.filter(isKept)
    this.#head = 0
  }
}
