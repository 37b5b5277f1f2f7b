import { GROUPS, STATE_BYTES } from './state.ts'

/** A state of 200 MB in a few large pieces of memory, of which a command changes a number alone: nothing for the collector. */
export interface Buffers {
  /** Depends on every command in its order. */
  readonly sum: number
  readonly groups: readonly Uint8Array[]
}

/** Some bytes of a state, and where they belong: 16 KiB. */
export type Part = readonly [group: number, start: number, bytes: Uint8Array]

const GROUP_BYTES = STATE_BYTES / GROUPS
const PART_BYTES = 16 * 1024

export const empty: Buffers = { sum: 1, groups: [] }

/** Adds a group, where the command is a `growth`. */
export function apply(state: Buffers, command: Uint8Array): readonly [Buffers, number] {
  const sum = (Math.imul(state.sum, 1_664_525) + 1_013_904_223 + (command[4] ?? 0)) >>> 0
  const { groups } = state
  if (command[4] !== undefined) return [{ sum, groups }, sum]
  const group = new Uint8Array(GROUP_BYTES).fill(groups.length)
  return [{ sum, groups: [...groups, group] }, sum]
}

export function* pieces({ sum, groups }: Buffers): Generator<number | Part, void> {
  yield sum
  for (const [g, group] of groups.entries()) {
    for (let at = 0; at < group.length; at += PART_BYTES) {
      yield [g, at, group.subarray(at, at + PART_BYTES)]
    }
  }
}

/** The state with a piece behind those that came before it. What is not wholly there yet, nobody else sees. */
export function restore(state: Buffers, piece: number | Part): Buffers {
  if (typeof piece === 'number') return { ...state, sum: piece }
  const [g, start, bytes] = piece
  const { sum, groups } = state
  const group = groups[g] ?? new Uint8Array(GROUP_BYTES)
  group.set(bytes, start)
  return g < groups.length ? state : { sum, groups: [...groups, group] }
}
