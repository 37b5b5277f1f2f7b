import type { Members, NodeId } from './types.ts'

/**
 * The highest value that a majority of the voters has reached. Asked of match indexes it is the index
 * to commit (§5.3), of times the last moment at which a quorum was heard, of pulses the last one that a
 * quorum answered. Half of the voters is not a majority.
 */
export function reachedByQuorum(members: Members, valueOf: (id: NodeId) => number): number {
  const values = members.voters.map(valueOf).sort((a, b) => b - a)
  return values[values.length >> 1] ?? -Infinity
}

/** Whether the voters for whom `holds` is true are a majority (§5.2). */
export function isQuorum(members: Members, holds: (id: NodeId) => boolean): boolean {
  return reachedByQuorum(members, (id) => (holds(id) ? 1 : 0)) === 1
}
