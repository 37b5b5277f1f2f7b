import { takeIn, type Verdict } from './intake.ts'
import type { Declined, Forward, Forwarded } from './messages.ts'
import type { Channel } from './passedOn.ts'
import { changedLeader } from './state.ts'
import { send, update, type Turn } from './turn.ts'
import type { NodeId } from './types.ts'

/** Lives of followers that passed something on in one term. Beyond them a leader leaves newcomers without an answer. */
const MAX_CHANNELS = 1024

/**
 * A follower passes a batch on. Each is taken in, or declined, once and in the order of its numbers; one that comes
 * again is answered again, and one that came too early is left for later.
 */
export function forward(turn: Turn, from: NodeId, message: Forward): Turn {
  const { role } = turn.state
  // A leader that stepped down in this term does not know any more what it took in.
  if (role.type !== 'leader') return turn
  const { channel: id, sequence, lowest } = message
  const isIts = (it: Channel): boolean => it.from === from && it.id === id
  const known = role.channels.find(isIts)
  if (known === undefined && role.channels.length >= MAX_CHANNELS) return turn
  const channel = known ?? { from, id, next: 0, replies: [] }
  if (sequence < channel.next) return replyAgain(turn, channel, sequence)
  if (sequence > channel.next) return turn
  const kind = message.isRequest ? 'request' : 'command'
  const [taken, verdict] = takeIn(turn, role, { kind, count: message.count, bytes: message.bytes })
  const reply = replyWith(verdict, message)
  const replies = [...channel.replies.filter((told) => told.sequence >= lowest), reply]
  const others = role.channels.filter((it) => !isIts(it))
  const channels = [...others, { from, id, next: sequence + 1, replies }]
  return send(update(taken, { role: changedLeader(role, { channels }) }), from, reply)
}

/** What the follower has heard of already is forgotten, and needs no answer. */
function replyAgain(turn: Turn, { from, replies }: Channel, sequence: number): Turn {
  const reply = replies.find((told) => told.sequence === sequence)
  return reply === undefined ? turn : send(turn, from, reply)
}

function replyWith(verdict: Verdict, { term, channel, sequence }: Forward): Forwarded | Declined {
  if (verdict.type === 'accepted') {
    return { type: 'forwarded', term, channel, sequence, index: verdict.index }
  }
  const isShortOfSpace = verdict.type === 'noSpace'
  const isLeaving = verdict.type === 'notLeader'
  return { type: 'declined', term, channel, sequence, isShortOfSpace, isLeaving }
}
