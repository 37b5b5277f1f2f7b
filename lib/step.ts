/**
 * Raft, as a pure function: `reduce(state, events)` is everything that a server ever decides.
 *
 * Input are facts (a message arrived, a save is durable, the leader was silent). Output is a `Step`:
 * the new state, what must be saved, what may be sent, what is committed. Nothing here reads a clock,
 * draws a random number or waits: the same events make the same steps, byte for byte.
 *
 * What differs from Figure 2 of the paper:
 * - Saving is asynchronous. A message that promises something about this server's disk waits in
 *   `state.saving` until the disk has spoken (`turn.ts`); a leader's own acknowledgement is such a
 *   promise, addressed to itself.
 * - Elections ask in advance (thesis §9.6); servers are loyal to a leader that they have heard lately
 *   (§4.2.3); a leader that hears no quorum steps down (§6.2).
 * - Reads are confirmed by one round of pulses and write nothing (§6.4).
 * - Everything of one turn of the event loop is reduced at once and makes one save and one message to
 *   each follower: the group commit.
 *
 * What is not done yet: snapshots, membership changes, client sessions. The log grows until then.
 */
import * as election from './election.ts'
import { InvariantError } from './errors.ts'
import type { Event, Stamped } from './events.ts'
import * as follower from './follower.ts'
import * as leader from './leader.ts'
import { append, emptyLog } from './log.ts'
import type { Envelope, Message, RequestVote } from './messages.ts'
import { isPlausible } from './plausible.ts'
import * as reads from './reads.ts'
import { isVoter, type State } from './state.ts'
import type { Restored, Saved } from './storage.ts'
import { answer, begin, finish, next, saved, send, update, type Step, type Turn } from './turn.ts'
import type { NodeId } from './types.ts'

/** One turn of the loop: folds its events into a step. Throws {@link InvariantError} and nothing else. */
export function reduce(state: State, events: readonly Event[]): Step {
  const turn = events.reduce(
    (folded, event) => handle(next(folded, { at: event.at }), event),
    begin(state),
  )
  return finish(reads.answerReads(leader.endTurn(turn)), state, events)
}

function handle(turn: Turn, event: Event): Turn {
  if (!turn.state.booted) return boot(turn, event)
  switch (event.type) {
    case 'restored':
      throw new InvariantError('the storage was restored twice')
    case 'saved':
      return disk(turn, event)
    case 'received':
      return receive(turn, event.envelope)
    case 'electionTimeout':
      return election.electionTimeout(turn)
    case 'heartbeatTimeout':
      return leader.heartbeatTimeout(turn)
    case 'quorumTimeout':
      return election.quorumTimeout(turn)
    case 'proposed':
      return leader.proposed(turn, event)
    case 'read':
      return reads.read(turn, event.ticket)
    case 'notice':
      return turn
    case 'applied':
      return next(update(turn, { appliedIndex: event.index }), {
        applied: [...turn.applied, ...event.batches],
      })
  }
}

/** Until the disk has spoken, this server knows nothing, so it says and promises nothing. */
function boot(turn: Turn, event: Event): Turn {
  switch (event.type) {
    case 'restored':
      return restore(turn, event)
    case 'proposed':
      return answer(turn, { type: 'notLeader', ticket: event.ticket, leader: undefined })
    case 'read':
      return answer(turn, { type: 'unreadable', ticket: event.ticket, leader: undefined })
    default:
      return turn
  }
}

function restore(turn: Turn, { term, vote, batches, at }: Stamped<Restored>): Turn {
  const log = append(emptyLog(), batches)
  if (log.lastTerm > term) {
    throw new InvariantError(
      `the log has entries of term ${log.lastTerm}, the ballot is of ${term}`,
    )
  }
  return next(turn, { state: { ...turn.state, booted: true, term, vote, log, contact: at } })
}

/** What waited for the disk leaves now; what this server promised to itself arrives at once. */
function disk(turn: Turn, { sequence, term }: Stamped<Saved>): Turn {
  const { turn: durable, promises } = saved(turn, sequence, term)
  return promises.reduce(
    (said, { from, to, message }) =>
      to === from ? judgeTerm(said, from, message) : send(said, to, message),
    durable,
  )
}

function receive(turn: Turn, { from, to, message }: Envelope): Turn {
  const { state } = turn
  const isOurs = to === state.config.id && from !== to && isVoter(state, from)
  if (!isOurs || !isPlausible(message, state)) return update(turn, { dropped: state.dropped + 1 })
  return judgeTerm(turn, from, message)
}

/** The term rule, applied once and first (§5.1): a higher term is followed, a lower one is told so. */
function judgeTerm(turn: Turn, from: NodeId, message: Message): Turn {
  const { term } = turn.state
  if (message.term < term) return correct(turn, from, message)
  if (message.term === term || isAboutTheFuture(message)) return dispatch(turn, from, message)
  if (message.type === 'requestVote' && election.isLoyal(turn.state, from, turn.at)) return turn
  return dispatch(election.follow(turn, message.term, undefined), from, message)
}

/** A question in advance, or a yes to one, names a term that nobody is in yet. */
const isAboutTheFuture = (message: Message): boolean =>
  (message.type === 'requestVote' && message.pre) ||
  (message.type === 'vote' && message.pre && message.granted)

/** Whoever leads or asks for votes in a past term learns of the present one. */
function correct(turn: Turn, from: NodeId, message: Message): Turn {
  const { term } = turn.state
  switch (message.type) {
    case 'requestVote':
      return refuse(turn, from, message)
    case 'append':
    case 'heartbeat':
      return send(turn, from, { type: 'heartbeatReply', term, round: 0 })
    default:
      return turn
  }
}

const refuse = (turn: Turn, from: NodeId, { pre }: RequestVote): Turn =>
  send(turn, from, { type: 'vote', term: turn.state.term, pre, granted: false })

function dispatch(turn: Turn, from: NodeId, message: Message): Turn {
  switch (message.type) {
    case 'requestVote':
      return election.requestVote(turn, from, message)
    case 'vote':
      return election.voted(turn, from, message)
    case 'append':
      return follower.appendEntries(turn, from, message)
    case 'appended':
      return leader.appended(turn, from, message)
    case 'rejected':
      return leader.rejected(turn, from, message)
    case 'heartbeat':
      return follower.heartbeat(turn, from, message)
    case 'heartbeatReply':
      return leader.heartbeatReply(turn, from, message)
    case 'readIndex':
      return reads.readIndex(turn, from, message)
    case 'readIndexReply':
      return reads.readIndexReply(turn, from, message)
  }
}
