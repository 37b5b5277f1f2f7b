import { rankOf } from './keys.ts'

/**
 * The search for a key on its way from the root to a leaf, in the order of {@link compareKeys}. Everything between two keys begins
 * with what both have in common, so that characters which the key shares with both of its bounds are not looked at again.
 */
export class Search {
  /** Characters that the key has in common with the last one that is not after it, and with the first one that is. */
  #below = 0
  #above = 0

  constructor(private readonly key: string) {}

  /** The place of the last of these sorted keys that is not after it; -1 when all are. */
  lastUpTo(keys: readonly string[]): number {
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#isUpTo(keys[middle]!)) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** The place of the child that has the key, if any has. */
  childIn(keys: readonly string[]): number {
    const at = this.lastUpTo(keys)
    if (at > 0) return at
    // In a first child, keys may be before the one that stands for it.
    this.#below = 0
    return 0
  }

  /** Whether another key is not after it. */
  #isUpTo(other: string): boolean {
    const { key } = this
    const length = Math.min(key.length, other.length)
    let same = Math.min(this.#below, this.#above)
    while (same < length && key.charCodeAt(same) === other.charCodeAt(same)) same++
    const isUpTo =
      same === length
        ? other.length <= key.length
        : rankOf(other.charCodeAt(same)) < rankOf(key.charCodeAt(same))
    if (isUpTo) this.#below = same
    else this.#above = same
    return isUpTo
  }
}
