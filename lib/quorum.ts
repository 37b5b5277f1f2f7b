import type { Members, NodeId } from './types.ts'

/**
 * The highest value that a majority of the voters has reached. Asked of match indexes it is the index
 * to commit (§5.3), of times the last moment at which a quorum was heard, of pulses the last one that a
 * quorum answered. Half of the voters is not a majority; while the configuration changes, the voters
 * before it and those after it both have to (§6).
 */
export function reachedByQuorum(
  { voters, outgoing }: Members,
  valueOf: (id: NodeId) => number,
): number {
  const reached = reachedByMajority(voters, valueOf)
  return outgoing.length === 0 ? reached : Math.min(reached, reachedByMajority(outgoing, valueOf))
}

function reachedByMajority(voters: readonly NodeId[], valueOf: (id: NodeId) => number): number {
  // This is asked after every step, of a handful: sorting them would be most of what the answer costs.
  const values = voters.map(valueOf)
  let reached = -Infinity
  for (const value of values) if (value > reached && isOfMajority(value, values)) reached = value
  return reached
}

function isOfMajority(value: number, values: readonly number[]): boolean {
  let count = 0
  for (const other of values) if (other >= value) count++
  return 2 * count > values.length
}

/** Whether the voters for whom `holds` is true are a quorum (§5.2, §6). */
export function isQuorum(members: Members, holds: (id: NodeId) => boolean): boolean {
  return reachedByQuorum(members, (id) => (holds(id) ? 1 : 0)) === 1
}
