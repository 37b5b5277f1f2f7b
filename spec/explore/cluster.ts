import type { History } from './history.ts'
import type { Finding } from './invariants.ts'
import type { Entries, Letter, Local } from './universe.ts'

/** All of a cluster at one moment: servers with their disks, messages in flight, what matters of the past. */
export interface Cluster {
  readonly locals: readonly Local[]
  readonly letters: readonly Letter[]
  readonly history: History
}

/** What is wrong with servers taken together. */
export function findInCluster({ locals, history }: Cluster): readonly Finding[] {
  return [
    ...locals.flatMap(({ findings }) => findings),
    ...findMismatch(locals),
    ...findIncompleteLeader(locals, history),
    ...findUnsafeCommit(locals, history),
  ]
}

/** Log matching (§5.3): entries of one index and term are the same, and so is all before them. */
function findMismatch(locals: readonly Local[]): readonly Finding[] {
  const logs = locals.flatMap(({ memory, durable }) => [memory, durable])
  for (const [i, some] of logs.entries()) {
    for (const others of logs.slice(i + 1)) {
      if (!match(some, others)) {
        const message = `the logs ${describe(some)} and ${describe(others)} do not match`
        return [{ invariant: 'log matching', message }]
      }
    }
  }
  return []
}

function match(some: Entries, others: Entries): boolean {
  if (some === others) return true
  const shared = Math.min(some.list.length, others.list.length)
  for (let i = shared - 1, mustBeEqual = false; i >= 0; i--) {
    const [entry, other] = [some.list[i]!, others.list[i]!]
    mustBeEqual ||= entry.term === other.term
    if (mustBeEqual && entry.text !== other.text) return false
  }
  return true
}

/** Leader completeness (§5.4): a leader has everything that was committed in earlier terms. */
function findIncompleteLeader(
  locals: readonly Local[],
  { committed }: History,
): readonly Finding[] {
  return locals.flatMap(({ server: { id, state }, memory }) => {
    if (state.role.type !== 'leader') return []
    const at = committed.findIndex(
      (entry, i) => entry.in < state.term && memory.list[i]?.text !== entry.text,
    )
    const message = `${id} leads in term ${state.term} without entry ${at + 1}, ${committed[at]?.text}`
    return at < 0 ? [] : [{ invariant: 'leader completeness', message }]
  })
}

/**
 * What is committed stands on a majority of disks, and nobody without it could be elected by what
 * stands on disks and in memories now: leader completeness, seen an election ahead.
 */
function findUnsafeCommit(locals: readonly Local[], { committed }: History): readonly Finding[] {
  const last = committed.at(-1)
  if (last === undefined) return []
  const holds = ({ list }: Entries) => committed.every(({ text }, i) => list[i]?.text === text)
  const copies = locals.filter(({ durable }) => holds(durable)).length
  if (copies * 2 <= locals.length) {
    const message = `entry ${committed.length}, ${last.text}, is committed and on ${copies} of ${locals.length} disks`
    return [{ invariant: 'durable quorum', message }]
  }
  const usurper = locals.find(({ memory, durable }) =>
    [memory, durable].some((log) => !holds(log) && couldWin(log, locals)),
  )
  if (usurper === undefined) return []
  const message = `${usurper.server.id} could be elected without entry ${committed.length}, ${last.text}`
  return [{ invariant: 'leader completeness', message }]
}

/** Whether a majority, crashed or not, would find this log at least as up-to-date as its own (§5.4.1). */
const couldWin = (log: Entries, locals: readonly Local[]): boolean =>
  locals.filter(({ memory, durable }) => isUpToDate(log, memory) || isUpToDate(log, durable))
    .length *
    2 >
  locals.length

function isUpToDate({ list: some }: Entries, { list: others }: Entries): boolean {
  const [last, other] = [some.at(-1)?.term ?? 0, others.at(-1)?.term ?? 0]
  return last === other ? some.length >= others.length : last > other
}

const describe = ({ list }: Entries): string => `[${list.map(({ text }) => text).join(' ')}]`
