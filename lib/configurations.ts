import type { Batch } from './batch.ts'
import { InvariantError } from './errors.ts'
import { membersIn, votes } from './members.ts'
import type { Index, Members, NodeId } from './types.ts'

/**
 * The configurations of a log: the last one is in force, committed or not; those before it are what a
 * truncation falls back to (§6). The first one stands for everything before it.
 */
export type Configurations = readonly Members[]

/** What is in force after the entry at `index`. */
export const inForceAt = (configurations: Configurations, index: Index): Members =>
  configurations.findLast((members) => members.index <= index) ?? configurations[0]!

/** Whether a server belongs to the configuration in force, or to one that may be in force again. */
export const isServer = (configurations: Configurations, id: NodeId): boolean =>
  configurations.some((members) => votes(members, id) || members.learners.includes(id))

/** After the entries behind `lastKept` made way for these. */
export function followedBy(
  configurations: Configurations,
  lastKept: Index,
  batches: readonly Batch[],
): Configurations {
  const news = batches.filter(({ kind }) => kind === 'members').map(read)
  const isKept = (members: Members): boolean => members.index <= lastKept
  if (news.length === 0 && configurations.every(isKept)) return configurations
  return [...configurations.filter(isKept), ...news]
}

/** Without those to which nothing can fall back any more: what is committed stays. */
export function settledThrough(configurations: Configurations, commitIndex: Index): Configurations {
  const first = configurations.findLastIndex((members) => members.index <= commitIndex)
  return first > 0 ? configurations.slice(first) : configurations
}

function read(batch: Batch): Members {
  const members = membersIn(batch)
  if (members === undefined) {
    throw new InvariantError(`the entry at ${batch.index} is no configuration`)
  }
  return members
}
