import type { Proposed } from './events.ts'
import type { Declined, Forward, Forwarded } from './messages.ts'
import { NOTHING_PASSED_ON, type PassedOn } from './passedOn.ts'
import { leaderOf } from './state.ts'
import { answer, send, update, type Answer, type Turn } from './turn.ts'
import type { NodeId } from './types.ts'
import { lacksState } from './witnesses.ts'

/**
 * The follower's side of forwarding; the leader's is `channels.ts`. What is passed on is numbered from 0 in each
 * term, and passed on again from the oldest without an answer when nothing was heard for a pulse.
 */

/** A server that does not lead passes commands on to the one that does, if it may, and will see the results. */
export function passOn(turn: Turn, proposal: Proposed): Turn {
  const { config, role } = turn.state
  const { ticket } = proposal
  const leader = leaderOf(turn.state)
  const isAble = config.forward && role.type === 'follower' && !lacksState(turn.state)
  if (!isAble || leader === undefined) {
    return answer(turn, { type: 'notLeader', ticket, leader })
  }
  const begun = begin(turn, ticket)
  const { forwarding } = begun.state
  if (isFull(begun)) return answer(begun, { type: 'overloaded', ticket })
  const { kind, count, bytes } = proposal
  const sequence = forwarding.next
  const batch = { ticket, sequence, isRequest: kind === 'request', count, bytes }
  const waiting = [...forwarding.waiting, batch]
  const noted = update(begun, { forwarding: { ...forwarding, next: sequence + 1, waiting } })
  return sendTo(noted, leader, batch)
}

/** The leader's answer, which counts for the oldest that waits for one: each of them will have one. */
export function answered(turn: Turn, reply: Forwarded | Declined): Turn {
  const { forwarding, term } = turn.state
  const [oldest, ...waiting] = forwarding.waiting
  const isOurs = forwarding.term === term && reply.channel === forwarding.channel
  if (!isOurs || oldest?.sequence !== reply.sequence) return turn
  const settled = update(turn, { forwarding: { ...forwarding, waiting } })
  return answer(settled, verdictOf(reply, oldest.ticket))
}

/** The leader is heard. What has waited for an answer since its last pulse may be lost. */
export function passOnAgain(turn: Turn, leader: NodeId): Turn {
  const { forwarding, term, config } = turn.state
  const oldest = forwarding.waiting[0]
  if (oldest === undefined || forwarding.term !== term) return turn
  if (oldest.sequence !== forwarding.overdue) {
    return update(turn, { forwarding: { ...forwarding, overdue: oldest.sequence } })
  }
  let sent = turn
  let bytes = 0
  for (const batch of forwarding.waiting) {
    sent = sendTo(sent, leader, batch)
    bytes += batch.bytes.length
    if (bytes > config.maxAppendBytes) break
  }
  return sent
}

/** At the end of every turn: what a leader of an earlier term has not answered may be in the log, or not. */
export function giveUpUnanswered(turn: Turn): Turn {
  const { forwarding, term } = turn.state
  if (forwarding.waiting.length === 0 || forwarding.term === term) return turn
  const unanswered = forwarding.waiting.map(({ ticket }): Answer => ({
    type: 'unanswered',
    ticket,
  }))
  return answer(update(turn, { forwarding: { ...forwarding, waiting: [] } }), ...unanswered)
}

/** Numbers begin anew in each term, under a name that no earlier life of this server has used. */
function begin(turn: Turn, ticket: number): Turn {
  const { forwarding, term } = turn.state
  if (forwarding.term === term) return turn
  return update(giveUpUnanswered(turn), {
    forwarding: { ...NOTHING_PASSED_ON, term, channel: ticket },
  })
}

function isFull({ state: { forwarding, config } }: Turn): boolean {
  const { waiting } = forwarding
  if (waiting.length === 0) return false
  const bytes = waiting.reduce((sum, batch) => sum + batch.bytes.length, 0)
  return waiting.length >= config.maxInflightMessages || bytes >= config.maxInflightBytes
}

function sendTo(turn: Turn, leader: NodeId, batch: PassedOn): Turn {
  const { term, forwarding } = turn.state
  const { sequence, isRequest, count, bytes } = batch
  const lowest = forwarding.waiting[0]?.sequence ?? sequence
  const { channel } = forwarding
  const message: Forward = {
    ...{ type: 'forward', term, channel, sequence, lowest, isRequest, count, bytes },
  }
  return send(turn, leader, message)
}

function verdictOf(reply: Forwarded | Declined, ticket: number): Answer {
  if (reply.type === 'forwarded') {
    return { type: 'accepted', ticket, index: reply.index, term: reply.term }
  }
  if (reply.isShortOfSpace) return { type: 'noSpace', ticket }
  if (reply.isLeaving) return { type: 'notLeader', ticket, leader: undefined }
  return { type: 'overloaded', ticket }
}
