import type { Value } from './register.ts'

/** How far an order of operations has come. Sets are strings of sorted marks, one mark an operation. */
export interface Config {
  readonly value: Value
  /** Operations that have their place and have not returned. */
  readonly placed: string
  /** Operations with an unknown outcome that took effect. */
  readonly spent: string
}

export const withMark = (set: string, mark: string): string => {
  let at = set.length
  while (at > 0 && set[at - 1]! > mark) at--
  return set.slice(0, at) + mark + set.slice(at)
}

export const withoutMark = (set: string, mark: string): string => set.replace(mark, '')

/**
 * Configurations that were tried at one moment. Of two that differ only in what they have spent, the one
 * that has spent less can do whatever the other can.
 */
export class Tried {
  readonly #alike = new Map<string, string[]>()

  /** Whether it is worth trying. */
  add({ value, placed, spent }: Config): boolean {
    const key = `${value} ${placed}`
    const alike = this.#alike.get(key)
    if (alike === undefined) this.#alike.set(key, [spent])
    else if (alike.some((less) => isSubset(less, spent))) return false
    else alike.push(spent)
    return true
  }
}

function isSubset(small: string, large: string): boolean {
  if (small.length > large.length) return false
  let from = 0
  for (const mark of small) {
    const at = large.indexOf(mark, from)
    if (at < 0) return false
    from = at + 1
  }
  return true
}
