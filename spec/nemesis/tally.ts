import type { Kind } from './kinds.ts'

/** What became of the faults of one kind. */
export interface Count {
  /** How often it was asked for. */
  readonly asked: number
  /** How often something came of it. */
  readonly bit: number
  /** How much, in the unit of the kind. */
  readonly bites: number
}

/** The faults of a run, by kind. */
export type Tally = Readonly<Partial<Record<Kind, Count>>>

export const emptyTally = (kinds: readonly Kind[]): Tally =>
  Object.fromEntries(kinds.map((kind) => [kind, { asked: 0, bit: 0, bites: 0 }]))

export function count(tally: Tally, kind: Kind, bites: number): Tally {
  return sum(tally, { [kind]: { asked: 1, bit: bites > 0 ? 1 : 0, bites } })
}

export function sum(left: Tally, right: Tally): Tally {
  const both = { ...left }
  for (const [name, { asked, bit, bites }] of Object.entries(right)) {
    const kind = name as Kind
    const before = both[kind] ?? { asked: 0, bit: 0, bites: 0 }
    both[kind] = {
      asked: before.asked + asked,
      bit: before.bit + bit,
      bites: before.bites + bites,
    }
  }
  return both
}
