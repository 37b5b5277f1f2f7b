import { lastIndexOf } from './batch.ts'
import { claim } from './fingerprints.ts'
import { lastIndexWithin, read, termAt } from './log.ts'
import type { Append, Appended, Heartbeat, HeartbeatReply, Rejected } from './messages.ts'
import { reachedByQuorum } from './quorum.ts'
import { changeMembers } from './changes.ts'
import { needsSnapshot, sendAgain, sendSnapshots } from './install.ts'
import { preferHigher } from './preference.ts'
import * as reads from './reads.ts'
import { handOver, leaveStalledDisk } from './transfer.ts'
import { changedProgress, heldBy, type Progress } from './progress.ts'
import { changedLeader, progressOf, type Leader, type State } from './state.ts'
import { longTrip, timed, timing } from './tuning.ts'
import { promise, send, update, type Turn } from './turn.ts'
import type { Index, NodeId } from './types.ts'
import { heldByFullVoter, isWitness, withheld } from './witnesses.ts'

/** A disk, its own or a follower's, holds the log through `match`. */
export function appended(turn: Turn, from: NodeId, { match }: Appended): Turn {
  return updateProgress(turn, from, (progress) => ({
    contact: turn.at,
    probing: false,
    match: Math.max(progress.match, match),
    next: Math.max(progress.next, match + 1),
    // What a probe carried is sent again when only the question behind it arrived.
    inflight: progress.probing ? [] : progress.inflight.filter(({ last }) => last > match),
  }))
}

/**
 * The logs do not agree where the leader thought that they do: go back, one term at a time (§5.3). A
 * follower that refuses what it has acknowledged is no longer counted for it.
 */
export function rejected(turn: Turn, from: NodeId, message: Rejected): Turn {
  const { log, commitIndex } = turn.state
  const { prevIndex, hintIndex, hintTerm } = message
  return updateProgress(remind(turn, from, message), from, (progress) => {
    const { probing, match, next } = progress
    const contact = turn.at
    const isStale = prevIndex > match && probing && prevIndex !== next - 1
    if (isStale) return { contact }
    const agreed = lastIndexWithin(log, Math.min(hintIndex, log.lastIndex), hintTerm)
    if (prevIndex > match) {
      return { contact, probing: true, next: Math.max(match, agreed) + 1, inflight: [] }
    }
    const held = heldBy(progress, commitIndex)
    return { contact, probing: true, match: 0, held, next: agreed + 1, inflight: [] }
  })
}

/**
 * A follower that seems to lack what it has acknowledged is asked for it before it is sent anything that would
 * hide the loss. This may be an old refusal: the follower itself knows better.
 */
function remind(turn: Turn, to: NodeId, { prevIndex, hintIndex }: Rejected): Turn {
  const { role, commitIndex } = turn.state
  const progress = role.type === 'leader' ? progressOf(role, to) : undefined
  if (role.type !== 'leader' || progress === undefined) return turn
  const isSuspect = hintIndex < Math.min(prevIndex, heldBy(progress, commitIndex))
  return isSuspect ? send(turn, to, pulseTo(turn.state, progress, role.round)) : turn
}

/** A follower answers a pulse, which also tells that earlier messages have arrived or are lost. */
export function heartbeatReply(turn: Turn, from: NodeId, { round }: HeartbeatReply): Turn {
  const { role, config } = turn.state
  if (role.type !== 'leader') return turn
  const last = Math.min(round, role.round)
  const heard = updateProgress(turn, from, (progress) => ({
    contact: turn.at,
    // It had not heard of a later leader when it answered (thesis §6.4).
    round: Math.max(progress.round, last),
    sending: sendAgain(progress.sending, round, turn),
    ...timed(progress, round, turn.at, config.electionTimeoutMax),
  }))
  return askForLost(heard, from)
}

/** The leader's pulse goes out (§5.2). */
export function heartbeatTimeout(turn: Turn): Turn {
  const { role } = turn.state
  return role.type === 'leader' ? pulse(turn, role) : turn
}

/** What a leader does at the end of each turn, once for everything that happened in it. */
export function endTurn(turn: Turn): Turn {
  if (turn.state.role.type !== 'leader') return turn
  const changed = changeMembers(advanceCommit(turn))
  if (changed.state.role.type !== 'leader') return changed
  const replicated = handOver(preferHigher(sendSnapshots(replicate(acknowledgeOwn(changed)))))
  const released = reads.releaseReads(reads.renewLease(replicated))
  const pulsed = reads.needsPulse(released.state) ? heartbeatTimeout(released) : released
  return leaveStalledDisk(noteUntold(reads.releaseReads(pulsed)))
}

/** The leader is its own follower: it counts itself once its own disk has said so. */
function acknowledgeOwn(turn: Turn): Turn {
  if (turn.writes.length === 0) return turn
  const { term, log, config } = turn.state
  return promise(turn, config.id, { type: 'appended', term, match: log.lastIndex })
}

/**
 * Commits what a quorum of disks holds, if it is of this term; what came before it is committed with
 * it (§5.3, §5.4.2).
 */
function advanceCommit(turn: Turn): Turn {
  const { role, members, log, term, commitIndex } = turn.state
  if (role.type !== 'leader') return turn
  const held = reachedByQuorum(members, (id) => progressOf(role, id)?.match ?? 0)
  return held > commitIndex && termAt(log, held) === term
    ? update(turn, { commitIndex: held })
    : turn
}

/** Sends every follower what it has not been sent, as far as its window allows. */
function replicate(turn: Turn): Turn {
  const { role, config, configurations, log } = turn.state
  if (role.type !== 'leader') return turn
  let sent = turn
  let shared: Append | undefined
  const progress = role.progress.map((follower) => {
    if (follower.id === config.id) return follower
    const isToWitness = isWitness(configurations, follower.id)
    const last = isToWitness ? heldByFullVoter(turn.state, role) : log.lastIndex
    let current = follower
    while (hasRoom(turn.state, current, last)) {
      const entries = entriesFor(turn.state, current, last, shared)
      const message = isToWitness ? withheld(entries) : entries
      if (!isToWitness) shared = message
      sent = send(sent, current.id, message)
      current = afterSending(current, message)
    }
    return current
  })
  return sent === turn ? turn : update(sent, { role: changedLeader(role, { progress }) })
}

/** Followers that want the same entries get the same message, which is then encoded once. */
function entriesFor(
  state: State,
  { next }: Progress,
  last: Index,
  shared: Append | undefined,
): Append {
  if (shared?.prevIndex === next - 1 && last === state.log.lastIndex) return shared
  const { log, term, commitIndex, config } = state
  return {
    type: 'append',
    term,
    prevIndex: next - 1,
    prevTerm: termAt(log, next - 1) ?? 0,
    batches: read(log, next, last, config.maxAppendBytes),
    commit: commitIndex,
  }
}

function afterSending(progress: Progress, { batches, commit }: Append): Progress {
  const last = lastIndexOf(batches.at(-1)!)
  const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0)
  return changedProgress(progress, {
    inflight: [...progress.inflight, { last, bytes }],
    // While probing, `next` stays: the answer says whether the logs agree before it.
    next: progress.probing ? progress.next : last + 1,
    told: commit,
  })
}

function hasRoom(state: State, progress: Progress, last: Index): boolean {
  const { config } = state
  const { next, probing, inflight } = progress
  if (next > last || needsSnapshot(state, progress)) return false
  if (inflight.length >= (probing ? 1 : config.maxInflightMessages)) return false
  return inflight.reduce((sum, { bytes }) => sum + bytes, 0) < config.maxInflightBytes
}

/**
 * Nothing says that a message was lost, so the leader asks whether what it has sent has arrived: an
 * append without entries, which a follower that misses something refuses.
 */
function askForLost(turn: Turn, to: NodeId): Turn {
  const { role, log, term, commitIndex: commit } = turn.state
  const progress = role.type === 'leader' ? progressOf(role, to) : undefined
  if (progress === undefined || progress.inflight.length === 0) return turn
  if (needsSnapshot(turn.state, progress)) return turn
  const prevIndex = progress.next - 1
  const prevTerm = termAt(log, prevIndex) ?? 0
  return send(turn, to, { type: 'append', term, prevIndex, prevTerm, batches: [], commit })
}

function pulse(turn: Turn, leader: Leader): Turn {
  const { config, term } = turn.state
  const round = leader.round + 1
  const ms = longTrip(turn.state, leader, turn.at)
  let sent = turn
  const progress = leader.progress.map((follower) => {
    if (follower.id === config.id) return follower
    const message = pulseTo(turn.state, follower, round)
    sent = send(sent, follower.id, message)
    if (ms !== undefined) sent = send(sent, follower.id, { type: 'roundTrip', term, ms })
    return changedProgress(follower, {
      told: Math.max(follower.told, message.commit),
      timing: timing(turn.state, follower, { round, at: turn.at }),
    })
  })
  const waiting = leader.reads.map((read) => (read.round === undefined ? { ...read, round } : read))
  const pulsed = update(sent, {
    role: changedLeader(leader, {
      ...{ progress, reads: waiting, round, pulse: turn.at },
      pulses: config.lease === 0 ? [] : [...leader.pulses, { round, at: turn.at }],
    }),
  })
  return claim(pulsed, round)
}

function pulseTo({ term, log, commitIndex }: State, follower: Progress, round: number): Heartbeat {
  const commit = heldBy(follower, commitIndex)
  return { type: 'heartbeat', term, commit, commitTerm: termAt(log, commit) ?? 0, round }
}

/** Remembers since when a follower could know of a commit that no message has told it. */
function noteUntold(turn: Turn): Turn {
  const { role, commitIndex, config } = turn.state
  if (role.type !== 'leader') return turn
  const isUntold = role.progress.some(
    ({ id, told, match }) => id !== config.id && told < Math.min(commitIndex, match),
  )
  const untold = isUntold ? (role.untold ?? turn.at) : undefined
  return untold === role.untold ? turn : update(turn, { role: changedLeader(role, { untold }) })
}

function updateProgress(
  turn: Turn,
  id: NodeId,
  change: (progress: Progress) => Partial<Progress>,
): Turn {
  const { role } = turn.state
  if (role.type !== 'leader') return turn
  const progress = role.progress.map((p) => (p.id === id ? changedProgress(p, change(p)) : p))
  return update(turn, { role: changedLeader(role, { progress }) })
}
