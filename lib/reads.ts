import type { ReadIndex, ReadIndexReply } from './messages.ts'
import { reachedByQuorum } from './quorum.ts'
import { changedLeader, progressOf, type Leader, type LeaderRead, type State } from './state.ts'
import { answer, send, update, type Answer, type Turn } from './turn.ts'
import type { NodeId } from './types.ts'

/** Somebody at this server wants to read: the leader notes it, a follower asks its leader. */
export function read(turn: Turn, ticket: number): Turn {
  const { state } = turn
  const { role } = state
  if (role.type === 'leader') {
    return hasLease(turn, role)
      ? update(turn, { confirmed: [...state.confirmed, { ticket, index: state.commitIndex }] })
      : note(turn, role, state.config.id, ticket)
  }
  if (role.type !== 'follower' || role.leader === undefined) {
    return answer(turn, { type: 'unreadable', ticket, leader: undefined })
  }
  const asking = update(turn, { role: { ...role, asked: [...role.asked, ticket] } })
  return send(asking, role.leader, { type: 'readIndex', term: state.term, ticket })
}

/** A follower asks on behalf of its own readers. */
export function readIndex(turn: Turn, from: NodeId, message: ReadIndex): Turn {
  const { role } = turn.state
  if (role.type !== 'leader') return turn
  const isKnown = role.reads.some((read) => read.from === from && read.ticket === message.ticket)
  return isKnown ? turn : note(turn, role, from, message.ticket)
}

/** The leader has confirmed a read of this server's. */
export function readIndexReply(turn: Turn, from: NodeId, reply: ReadIndexReply): Turn {
  const { role, confirmed } = turn.state
  if (role.type !== 'follower' || role.leader !== from) return turn
  if (!role.asked.includes(reply.ticket)) return turn
  const asked = role.asked.filter((ticket) => ticket !== reply.ticket)
  return update(turn, {
    role: { ...role, asked },
    confirmed: [...confirmed, { ticket: reply.ticket, index: reply.index }],
  })
}

/** A lost question or answer is asked again when the leader is heard. */
export function askAgain(turn: Turn): Turn {
  const { role, term } = turn.state
  if (role.type !== 'follower' || role.leader === undefined) return turn
  const { leader } = role
  return role.asked.reduce(
    (asking, ticket) => send(asking, leader, { type: 'readIndex', term, ticket }),
    turn,
  )
}

/** At the end of a leader's turn, reads that a quorum has confirmed are released. */
export function releaseReads(turn: Turn): Turn {
  const { role, commitIndex } = turn.state
  if (role.type !== 'leader' || role.reads.length === 0) return turn
  // Until an entry of its own term is committed, a leader does not know what is (§8).
  if (commitIndex < role.firstIndex) return turn
  const answered = answeredRound(turn.state, role)
  const isReleased = ({ round }: LeaderRead) => round !== undefined && round <= answered
  const reads = role.reads.filter((read) => !isReleased(read))
  if (reads.length === role.reads.length) return turn
  const kept = update(turn, { role: changedLeader(role, { reads }) })
  return role.reads.filter(isReleased).reduce(release, kept)
}

/**
 * At the end of a leader's turn: a quorum has answered a pulse, and elects nobody else for an election timeout
 * after it was asked. When it was asked counts, not when it answered (thesis §6.4.1).
 */
export function renewLease(turn: Turn): Turn {
  const { role, config } = turn.state
  if (role.type !== 'leader' || config.lease === 0) return turn
  const answered = answeredRound(turn.state, role)
  const pulses = role.pulses.filter(({ round }) => round > answered)
  if (pulses.length === role.pulses.length) return turn
  const newest = role.pulses.findLast(({ round }) => round <= answered)!
  const leaseEnd = Math.max(role.leaseEnd, newest.at + config.lease)
  return update(turn, { role: changedLeader(role, { pulses, leaseEnd }) })
}

/** What it hands over, a leader no longer has: its successor may be elected at once (thesis §6.4.1). */
const hasLease = ({ state, at }: Turn, role: Leader): boolean =>
  state.config.lease > 0 &&
  at < role.leaseEnd &&
  role.transfer === undefined &&
  state.commitIndex >= role.firstIndex

const answeredRound = ({ members, config }: State, role: Leader): number =>
  reachedByQuorum(members, (id) =>
    id === config.id ? role.round : (progressOf(role, id)?.round ?? 0),
  )

/** At the end of every turn, this server's reads whose index is applied are answered. */
export function answerReads(turn: Turn): Turn {
  const { confirmed, appliedIndex } = turn.state
  if (confirmed.length === 0) return turn
  const waiting = confirmed.filter(({ index }) => index > appliedIndex)
  if (waiting.length === confirmed.length) return turn
  const answers = confirmed
    .filter(({ index }) => index <= appliedIndex)
    .map(({ ticket }): Answer => ({ type: 'readable', ticket }))
  return answer(update(turn, { confirmed: waiting }), ...answers)
}

/** A server that no longer leads, or follows somebody else, cannot confirm what it was asked. */
export function abandonReads(turn: Turn, leader: NodeId | undefined): Turn {
  const unreadable = ticketsOf(turn.state).map((ticket): Answer => ({
    type: 'unreadable',
    ticket,
    leader,
  }))
  return unreadable.length === 0 ? turn : answer(turn, ...unreadable)
}

/** Whether reads wait for a pulse, and no pulse that others wait for is still out. */
export const needsPulse = ({ role }: State): boolean =>
  role.type === 'leader' &&
  role.reads.length > 0 &&
  role.reads.every((read) => read.round === undefined)

/** This server's own reads that wait for a quorum. */
function ticketsOf({ role, config }: State): readonly number[] {
  switch (role.type) {
    case 'leader':
      return role.reads.filter(({ from }) => from === config.id).map(({ ticket }) => ticket)
    case 'follower':
      return role.asked
    case 'precandidate':
    case 'candidate':
      return []
  }
}

function note(turn: Turn, leader: Leader, from: NodeId, ticket: number): Turn {
  const index = Math.max(turn.state.commitIndex, leader.firstIndex)
  const read: LeaderRead = { from, ticket, index, round: undefined }
  return update(turn, { role: changedLeader(leader, { reads: [...leader.reads, read] }) })
}

function release(turn: Turn, { from, ticket, index }: LeaderRead): Turn {
  const { config, term, confirmed } = turn.state
  if (from === config.id) return update(turn, { confirmed: [...confirmed, { ticket, index }] })
  return send(turn, from, { type: 'readIndexReply', term, ticket, index })
}
