import type { Members, NodeId } from '../../lib/types.ts'

/** Whose agreement it takes: of the voters and, while they change, also of those before (§6). */
type Electorate = Pick<Members, 'voters' | 'outgoing'>

/** The value that more than half of the voters have reached, and more than half of those before a change. */
export function reachedByMost(
  { voters, outgoing }: Electorate,
  valueOf: (id: NodeId) => number,
): number {
  const reached = reachedByHalf(voters.map(valueOf))
  return outgoing.length === 0 ? reached : Math.min(reached, reachedByHalf(outgoing.map(valueOf)))
}

/** Whether it holds for more than half of the voters, and of those before a change. */
export const isMajority = (electorate: Electorate, holds: (id: NodeId) => boolean): boolean =>
  reachedByMost(electorate, (id) => (holds(id) ? 1 : 0)) === 1

function reachedByHalf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? 0
}
