import { follow } from './election.ts'
import type { Kept } from './errors.ts'
import type { Progress } from './progress.ts'
import { changedLeader, isStalled, leaderOf, progressOf, type Leader, type State } from './state.ts'
import { answer, send, update, type Turn } from './turn.ts'
import type { Millis, NodeId } from './types.ts'

/**
 * A leader hands its leadership over (thesis §3.10): it takes in nothing new, waits until its successor has
 * everything and tells it to campaign at once. If that does not come to a new leader within the longest
 * election timeout, everything goes on as before.
 */

/** Somebody wants another leader. */
export function transferWanted(turn: Turn, ticket: number, wanted: NodeId | undefined): Turn {
  const { state, at } = turn
  const { role } = state
  if (role.type !== 'leader') return keep(turn, ticket, 'notLeader')
  if (wanted === state.config.id) return answer(turn, { type: 'handedOver', ticket, to: wanted })
  if (role.transfer !== undefined || role.changing !== undefined) return keep(turn, ticket, 'busy')
  const to = successor(state, role, at, wanted)
  if (to === undefined) return keep(turn, ticket, 'nobody')
  return update(turn, {
    role: changedLeader(role, { transfer: { ticket, to, since: at, isTold: false } }),
  })
}

/** The disk is full, or no longer: a leader that can take in nothing new lets another one lead. */
export function space(turn: Turn, isShortOfSpace: boolean): Turn {
  const noted = update(turn, { isShortOfSpace })
  const isUseless = isShortOfSpace && turn.state.role.type === 'leader'
  return isUseless ? transferWanted(noted, NOBODY, undefined) : noted
}

/** The ticket of whoever does not wait for an answer. */
export const NOBODY = -1

/** The one that was named, or whoever has most. */
function successor(
  state: State,
  { progress }: Leader,
  at: Millis,
  wanted?: NodeId,
): NodeId | undefined {
  return progress
    .filter((one) => (wanted === undefined || one.id === wanted) && isFit(state, one, at))
    .sort((a, b) => b.match - a.match)[0]?.id
}

/** Whether another server can lead: a voter with a state, and heard lately. */
export const isFit = ({ members, config }: State, { id, contact }: Progress, at: Millis): boolean =>
  id !== config.id &&
  members.voters.includes(id) &&
  !members.witnesses.includes(id) &&
  at - contact < config.electionTimeoutMax

/** At the end of a leader's turn: the successor has everything, or it took too long. */
export function handOver(turn: Turn): Turn {
  const { state, at } = turn
  const { role, term, log, config } = state
  if (role.type !== 'leader' || role.transfer === undefined) return turn
  const { transfer } = role
  const isOver = at - transfer.since >= config.electionTimeoutMax
  const successor = progressOf(role, transfer.to)
  if (isOver || successor === undefined) {
    const kept = update(turn, { role: changedLeader(role, { transfer: undefined }) })
    return keep(kept, transfer.ticket, 'late')
  }
  if (transfer.isTold || successor.match < log.lastIndex) return turn
  // The word may be long on its way, and whoever hears it campaigns: there is no lease in this term any more.
  const told = changedLeader(role, { transfer: { ...transfer, isTold: true }, leaseEnd: NaN })
  return send(update(turn, { role: told }), transfer.to, { type: 'timeoutNow', term })
}

/** Leads no longer, and tells whoever has most to campaign at once, without waiting for it (thesis §3.10). */
export function abdicate(turn: Turn, leader: Leader): Turn {
  const { term } = turn.state
  const to = successor(turn.state, leader, turn.at)
  const told = to === undefined ? turn : send(turn, to, { type: 'timeoutNow', term })
  return follow(told, term, undefined)
}

/**
 * At the end of a leader's turn: its disk has stalled. Another one leads, if the others commit without this
 * disk; where they cannot, they could not under another leader either.
 */
export function leaveStalledDisk(turn: Turn): Turn {
  const { state, at } = turn
  const { role, config, commitIndex } = state
  if (!isStalled(state, at) || role.type !== 'leader') return turn
  const saved = progressOf(role, config.id)?.match ?? 0
  return saved < commitIndex ? abdicate(turn, role) : turn
}

/** A leader that steps down while it hands over has done what was wanted. */
export function abandonTransfer(turn: Turn): Turn {
  const { role } = turn.state
  if (role.type !== 'leader' || role.transfer === undefined) return turn
  const { ticket, to, isTold } = role.transfer
  return isTold ? answer(turn, { type: 'handedOver', ticket, to }) : keep(turn, ticket, 'late')
}

const keep = (turn: Turn, ticket: number, reason: Kept): Turn =>
  answer(turn, { type: 'kept', ticket, reason, leader: leaderOf(turn.state) })
