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
 * - A snapshot stands for the log before it (§7). It moves in pieces, one at a time, between the state
 *   machine, the disk and the network; nothing here ever holds more than one of them.
 * - Members change by joint consensus, any number at once, new voters only when they have caught up (§6).
 * - Witnesses vote and acknowledge, and get entries without their commands (`witnesses.ts`).
 * - A follower may pass what is proposed to it on to its leader (`forwarding.ts`, `channels.ts`).
 * - Client sessions are the application's concern: a `request` is a command here (`operators/engine/sessions.ts`).
 */
import { lastIndexOf, slice, type Batch } from './batch.ts'
import * as changes from './changes.ts'
import { forward } from './channels.ts'
import { followedBy, isServer } from './configurations.ts'
import * as election from './election.ts'
import { InvariantError } from './errors.ts'
import type { Event, Stamped } from './events.ts'
import * as fingerprints from './fingerprints.ts'
import * as follower from './follower.ts'
import { answered, giveUpUnanswered } from './forwarding.ts'
import * as installs from './install.ts'
import { proposed } from './intake.ts'
import * as leader from './leader.ts'
import { append, emptyLog, termAt, type Log } from './log.ts'
import type { Envelope, Message, RequestVote } from './messages.ts'
import { isPlausible } from './plausible.ts'
import * as reads from './reads.ts'
import * as transfers from './transfer.ts'
import * as snapshots from './snapshots.ts'
import { changed, type State } from './state.ts'
import type { Restored, Saved } from './storage.ts'
import { ballot, begin, finish, next, saved, send, update, type Step, type Turn } from './turn.ts'
import type { Mark, NodeId } from './types.ts'
import { checkHollow } from './witnesses.ts'

/**
 * One turn of the loop: folds its events into a step. Throws {@link InvariantError}, `DiskLost` when the disk has not what
 * was acknowledged, and `FormerWitness` when a server without commands is to be a full one.
 */
export function reduce(state: State, events: readonly Event[]): Step {
  const turn = events.reduce(
    (folded, event) => handle(next(folded, { at: event.at }), event),
    begin(state),
  )
  const ended = endTurn(turn)
  if (ended.state.isHollow) checkHollow(ended.state)
  return finish(ended, events)
}

/** A piece of a snapshot has come a step further. */
function piece(turn: Turn, event: PieceEvent): Turn {
  switch (event.type) {
    case 'captured':
      return snapshots.captured(turn, event)
    case 'chunkWritten':
      return installs.chunkWritten(snapshots.chunkWritten(turn, event), event)
    case 'chunkRefused':
      return installs.chunkRefused(snapshots.chunkRefused(turn, event), event)
    case 'chunkRead':
      return installs.chunkRead(turn, event)
    case 'pieceRestored':
      return installs.pieceRestored(turn, event.index, event.isLast)
  }
}

type PieceEvent = Extract<
  Event,
  { type: 'captured' | 'chunkWritten' | 'chunkRefused' | 'chunkRead' | 'pieceRestored' }
>

const endTurn = (turn: Turn): Turn =>
  giveUpUnanswered(
    reads.answerReads(snapshots.takeSnapshot(installs.restoreSnapshot(leader.endTurn(turn)))),
  )

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
    case 'notice':
      return turn
    case 'applied':
      return applied(turn, event)
    case 'captured':
    case 'chunkWritten':
    case 'chunkRefused':
    case 'chunkRead':
    case 'pieceRestored':
      return piece(turn, event)
    default:
      return wanted(turn, event)
  }
}

/** What this server's own users want of it, and what its disk has room for. */
function wanted(turn: Turn, event: WantedEvent): Turn {
  switch (event.type) {
    case 'proposed':
      return proposed(turn, event)
    case 'read':
      return reads.read(turn, event.ticket)
    case 'snapshotWanted':
      return snapshots.snapshotWanted(turn, event.ticket)
    case 'changeWanted':
      return changes.changeWanted(turn, event.ticket, event.plan)
    case 'transferWanted':
      return transfers.transferWanted(turn, event.ticket, event.to)
    case 'space':
      return transfers.space(turn, event.isShort)
  }
}

type WantedEvent = Extract<
  Event,
  {
    type: 'proposed' | 'read' | 'snapshotWanted' | 'changeWanted' | 'transferWanted' | 'space'
  }
>

/** What was applied before a snapshot took the state's place is told all the same. */
function applied(turn: Turn, { index, batches }: Extract<Event, { type: 'applied' }>): Turn {
  const appliedIndex = Math.max(turn.state.appliedIndex, index)
  const told = next(update(turn, { appliedIndex }), { applied: [...turn.applied, ...batches] })
  return batches.reduce(
    (noted, { fingerprints: news }) =>
      news === undefined ? noted : fingerprints.taken(noted, news),
    told,
  )
}

/**
 * Until the disk has spoken, this server knows nothing, so it says and promises nothing. Its own users are
 * answered as by anybody who neither leads nor follows.
 */
function boot(turn: Turn, event: Event): Turn {
  switch (event.type) {
    case 'restored':
      return restore(turn, event)
    case 'proposed':
    case 'read':
    case 'snapshotWanted':
    case 'changeWanted':
    case 'transferWanted':
    case 'space':
      return wanted(turn, event)
    default:
      return turn
  }
}

function restore(turn: Turn, restored: Stamped<Restored>): Turn {
  const { term, vote, batches, snapshot, isTorn = false, at } = restored
  const log = logFrom(batches, snapshot)
  const last = batches.at(-1)
  if (last !== undefined && last.term > term) {
    throw new InvariantError(`the log has entries of term ${last.term}, the ballot is of ${term}`)
  }
  const founded = snapshot?.members ?? turn.state.config.members
  const news = log.cells.filter(({ index }) => index > founded.index)
  const configurations = followedBy([founded], Infinity, news)
  const isHollow = log.cells.some(({ kind }) => kind === 'withheld')
  const read = changed(turn.state, {
    ...{ booted: true, log, contact: at, bootedAt: at, configurations, isHollow, isTorn },
  })
  const known = { ...read, term, vote }
  if (snapshot === undefined) return next(turn, { state: known })
  const restoring = { mark: snapshot, end: 0, isBusy: false }
  const state = { ...known, snapshot, restoring, commitIndex: snapshot.index }
  // The disk's log may be one that the snapshot replaces: a crash came before it was told so.
  const begun = next(turn, { state, ...(log.length === 0 && { reset: log.base }) })
  // And its ballot one of before the leader who sent the snapshot: nothing was promised since.
  return snapshot.term > term ? ballot(begun, snapshot.term, undefined) : begun
}

/** The log behind a snapshot, with the tail before it; nothing of a log that does not hold its last entry (§7). */
function logFrom(batches: readonly Batch[], snapshot: Mark | undefined): Log {
  const [first, ...rest] = batches
  if (snapshot === undefined || first === undefined || first.index === snapshot.index + 1) {
    return append(emptyLog(snapshot), batches)
  }
  if (first.index === 1) return logWith(emptyLog(), batches, snapshot)
  // The term before the first entry is unknown, so that entry becomes the base.
  const tail =
    first.count === 1 ? rest : [slice(first, first.index + 1, lastIndexOf(first)), ...rest]
  return logWith(emptyLog(first), tail, snapshot)
}

function logWith(base: Log, batches: readonly Batch[], snapshot: Mark): Log {
  const log = append(base, batches)
  return termAt(log, snapshot.index) === snapshot.term ? log : emptyLog(snapshot)
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
  const isOurs = to === state.config.id && from !== to
  const isHeard =
    isServer(state.configurations, from) || isForNewcomers(message) || isFollowed(state, from)
  if (!isOurs || !isHeard || !isPlausible(message, state))
    return update(turn, { dropped: state.dropped + 1 })
  return judgeTerm(turn, from, message)
}

/** Who has joined asks the leader whom it follows, and has to hear the answers, whatever configuration it knows. */
const isFollowed = ({ role }: State, from: NodeId): boolean =>
  role.type === 'follower' && role.leader === from

/**
 * A leader, or a candidate, may be of a configuration that this server has not heard of yet (§6): it may
 * belong to none.
 */
function isForNewcomers({ type }: Message): boolean {
  switch (type) {
    case 'requestVote':
    case 'append':
    case 'heartbeat':
    case 'install':
      return true
    default:
      return false
  }
}

/** The term rule, applied once and first (§5.1): a higher term is followed, a lower one is told so. */
function judgeTerm(turn: Turn, from: NodeId, message: Message): Turn {
  const { term } = turn.state
  if (message.term < term) return correct(turn, from, message)
  if (message.term === term || isAboutTheFuture(message)) return dispatch(turn, from, message)
  if (message.type === 'requestVote' && isRefused(turn, from, message)) return turn
  return dispatch(election.follow(turn, message.term, undefined), from, message)
}

const isRefused = ({ state, at }: Turn, from: NodeId, { handedOver }: RequestVote): boolean =>
  !handedOver && election.isLoyal(state, from, at)

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
    case 'install':
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
    case 'install':
      return installs.install(turn, from, message)
    case 'installed':
      return installs.installed(turn, from, message)
    case 'timeoutNow':
      return election.timeoutNow(turn, from)
    case 'fingerprint':
      return fingerprints.claimed(turn, from, message)
    case 'forward':
      return forward(turn, from, message)
    case 'forwarded':
    case 'declined':
      return answered(turn, message)
    case 'roundTrip':
      return follower.roundTrip(turn, from, message)
  }
}
