import { lastIndexOf, slice, type Batch } from './batch.ts'
import { follow } from './election.ts'
import { DiskLost, InvariantError } from './errors.ts'
import { passOnAgain } from './forwarding.ts'
import { append, bytesAfter, lastIndexWithin, termAt, truncate, type Log } from './log.ts'
import type { Append, Heartbeat, RoundTrip } from './messages.ts'
import { askAgain } from './reads.ts'
import { followedBy } from './configurations.ts'
import { promise, send, update, write, type Turn } from './turn.ts'
import type { Index, NodeId, Term } from './types.ts'

/** The leader's entries arrive (§5.3). */
export function appendEntries(turn: Turn, from: NodeId, message: Append): Turn {
  const following = hear(turn, from)
  const { log, term } = following.state
  const { prevIndex, prevTerm, batches } = message
  // What a snapshot stands for is committed, so the leader has it too.
  if (prevIndex >= log.base.index && termAt(log, prevIndex) !== prevTerm) {
    return refuse(following, from, prevIndex, prevTerm)
  }
  const news = newBatches(log, batches)
  const last = batches.at(-1)
  const match = last === undefined ? prevIndex : lastIndexOf(last)
  const appended = news.length === 0 ? following : extend(following, news)
  const committing = commitUpTo(appended, Math.min(message.commit, match))
  if (isBehind(committing)) return committing
  return promise(committing, from, { type: 'appended', term, match })
}

/**
 * Whether so much is committed that the state machine has not applied, that the leader is to wait: what it has no
 * acknowledgement for fills its window, and its next pulses ask again.
 */
function isBehind({ state }: Turn): boolean {
  const { log, commitIndex, appliedIndex, config } = state
  const unapplied = bytesAfter(log, appliedIndex)
  // What is not committed cannot be applied, and counts for nothing here.
  return (
    unapplied > config.maxUncommittedBytes &&
    unapplied - bytesAfter(log, commitIndex) > config.maxUncommittedBytes
  )
}

/** The leader's pulse arrives. It is answered at once, however slow this server's disk is. */
export function heartbeat(turn: Turn, from: NodeId, message: Heartbeat): Turn {
  const following = hear(turn, from)
  const { term, log } = following.state
  const { commit, commitTerm, round } = message
  const checked =
    commit <= log.base.index || termAt(log, commit) === commitTerm
      ? commitUpTo(following, commit)
      : checkHeld(following, from, commit, commitTerm)
  const answered = send(checked, from, { type: 'heartbeatReply', term, round })
  return passOnAgain(askAgain(answered), from)
}

/** The leader says how long a round trip takes. */
export function roundTrip(turn: Turn, from: NodeId, { ms }: RoundTrip): Turn {
  const { role, config } = turn.state
  const isHeard = config.isTuned && role.type === 'follower' && role.leader === from
  return isHeard ? update(turn, { role: { ...role, trip: ms } }) : turn
}

/**
 * The leader names a committed entry that this server has acknowledged. No disk that keeps its promises is
 * without it ever after, so a server that is without it has another disk, or an old one, and takes no part. One
 * that knows its last record to be torn says so, and gets it again.
 */
function checkHeld(turn: Turn, leader: NodeId, index: Index, term: Term): Turn {
  const { log, config, isTorn } = turn.state
  // A leader whose log begins behind the entry knows its term no more.
  if (term === 0 && index <= log.lastIndex) return turn
  if (isTorn && log.lastIndex < index) return refuse(turn, leader, index, term)
  throw new DiskLost(config.id, index, log.lastIndex)
}

export const hear = (turn: Turn, leader: NodeId): Turn =>
  update(follow(turn, turn.state.term, leader), { contact: turn.at })

const commitUpTo = (turn: Turn, index: Index): Turn =>
  index > turn.state.commitIndex ? update(turn, { commitIndex: index }) : turn

/** Tells where the logs may still agree, one term at a time (§5.3, the optimisation at its end). */
function refuse(turn: Turn, from: NodeId, prevIndex: Index, prevTerm: Term): Turn {
  const { log, term } = turn.state
  const hintIndex = lastIndexWithin(log, Math.min(prevIndex, log.lastIndex), prevTerm)
  const hintTerm = termAt(log, hintIndex) ?? 0
  return send(turn, from, { type: 'rejected', term, prevIndex, hintIndex, hintTerm })
}

/** Entries that conflict are replaced, entries that are there already are left alone (§5.3). */
function extend(turn: Turn, news: readonly Batch[]): Turn {
  const { state } = turn
  const { log, commitIndex } = state
  const lastKept = news[0]!.index - 1
  if (lastKept < commitIndex) {
    throw new InvariantError(`entry ${lastKept + 1} is committed and would be replaced`)
  }
  const configurations = followedBy(state.configurations, lastKept, news)
  const isHollow = state.isHollow || news.some(({ kind }) => kind === 'withheld')
  const extended = append(truncate(log, lastKept), news)
  return write(update(turn, { log: extended, configurations, isHollow }), news)
}

/** What of `batches` the log does not hold: from the first entry that is missing or conflicts. */
function newBatches(log: Log, batches: readonly Batch[]): readonly Batch[] {
  const position = batches.findIndex((batch) => !holds(log, batch))
  if (position < 0) return []
  const batch = batches[position]!
  let from = Math.max(batch.index, log.base.index + 1)
  while (termAt(log, from) === batch.term) from++
  return [slice(batch, from, lastIndexOf(batch)), ...batches.slice(position + 1)]
}

/** The same index and term means the same entries up to there (§5.3, Log Matching). */
function holds(log: Log, batch: Batch): boolean {
  const last = lastIndexOf(batch)
  return last <= log.base.index || termAt(log, last) === batch.term
}
