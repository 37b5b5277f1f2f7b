/** A state of 200 MB that never changes in place: what a command touches is copied, everything else is shared. */
export interface Large {
  /** Depends on every command in its order. */
  readonly sum: number
  readonly groups: readonly Group[]
}

type Group = readonly Leaf[]
type Leaf = readonly Row[]

interface Row {
  readonly key: string
  readonly version: number
  readonly value: Uint8Array
}

/** Some rows of a state, in the group in which they belong: 16 KiB. */
export type Piece = readonly [group: number, rows: Leaf]

export const GROUPS = 128
const LEAVES = 100
const ROWS = 16
const VALUE_BYTES = 1024
const FILL_BYTES = 4

/** Bytes of the values in a whole state. */
export const STATE_BYTES = GROUPS * LEAVES * ROWS * VALUE_BYTES

export const empty: Large = { sum: 1, groups: [] }

/** The command that makes the state larger by a group; there are as many as `GROUPS`. */
export const growth = (): Uint8Array => new Uint8Array(FILL_BYTES)

/** Adds a group, or gives a row of a whole state another value. */
export function apply(state: Large, command: Uint8Array): readonly [Large, number] {
  const sum = (Math.imul(state.sum, 1_664_525) + 1_013_904_223 + (command[4] ?? 0)) >>> 0
  const { groups } = state
  if (command.length === FILL_BYTES) {
    return [{ sum, groups: [...groups, group(groups.length)] }, sum]
  }
  const g = sum % groups.length
  const l = (sum >>> 8) % LEAVES
  const r = (sum >>> 16) % ROWS
  const leaf = groups[g]![l]!
  const { key, version } = leaf[r]!
  const value = new Uint8Array(VALUE_BYTES)
  value.set(command)
  const changed = leaf.with(r, { key, version: version + 1, value })
  return [{ sum, groups: groups.with(g, groups[g]!.with(l, changed)) }, sum]
}

const group = (g: number): Group =>
  Array.from({ length: LEAVES }, (_, l) =>
    Array.from({ length: ROWS }, (_, r) => ({
      key: `row ${(g * LEAVES + l) * ROWS + r}`,
      version: 0,
      value: new Uint8Array(VALUE_BYTES).fill(r),
    })),
  )

export function* pieces({ sum, groups }: Large): Generator<number | Piece, void> {
  yield sum
  for (const [g, leaves] of groups.entries()) {
    for (const rows of leaves) yield [g, rows]
  }
}

/** The state with a piece behind those that came before it. */
export function restore(state: Large, piece: number | Piece): Large {
  if (typeof piece === 'number') return { ...state, sum: piece }
  const [g, rows] = piece
  const { sum, groups } = state
  return { sum, groups: [...groups.slice(0, g), [...(groups[g] ?? []), rows]] }
}
