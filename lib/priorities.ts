import { serversOf } from './members.ts'
import type { Members, NodeId } from './types.ts'

/**
 * Which servers are to lead rather than others: part of the configuration, so that all of them know. A server that
 * another voter outranks waits longer before it campaigns (`operators/engine/electionTimer.ts`), and hands over
 * when it leads (`preference.ts`). Who can be elected does not depend on it.
 */

/** The higher, the rather. */
export const HIGHEST_PRIORITY = 100

/** 0 unless the configuration says otherwise. */
export const priorityOf = ({ priorities }: Members, id: NodeId): number =>
  priorities !== undefined && Object.hasOwn(priorities, id) ? priorities[id]! : 0

/** Whether some voter is to lead rather than this server; a witness never leads. */
export const isOutranked = (members: Members, id: NodeId): boolean =>
  members.priorities !== undefined &&
  members.voters.some(
    (voter) =>
      priorityOf(members, voter) > priorityOf(members, id) && !members.witnesses.includes(voter),
  )

/** Whether these can be told of: 0 goes unsaid, and so does everybody who is not there. */
export const arePriorities = (priorities: unknown, servers: readonly NodeId[]): boolean => {
  const told = Object.entries(priorities as object)
  return (
    told.length > 0 && told.every(([id, it]) => servers.includes(id) && it !== 0 && isPriority(it))
  )
}

export const isPriority = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= HIGHEST_PRIORITY

/** The configuration with these priorities, as far as they are of its servers. */
export function withPriorities(
  { priorities: _, ...members }: Members,
  priorities: Members['priorities'] = {},
): Members {
  const servers = serversOf(members)
  const told = Object.entries(priorities)
    .filter(([id, priority]) => servers.includes(id) && priority !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return told.length === 0 ? members : { ...members, priorities: Object.fromEntries(told) }
}
