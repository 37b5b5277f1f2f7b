import { InvariantError } from './errors.ts'
import { hear } from './follower.ts'
import { emptyLog, termAt } from './log.ts'
import type { Install, Installed } from './messages.ts'
import { adopt, latest } from './snapshots.ts'
import { changedProgress, type Progress } from './progress.ts'
import { changedLeader, progressOf, type Receiving, type State } from './state.ts'
import type { ChunkRead, ChunkRefused, ChunkWritten } from './storage.ts'
import { isWitness } from './witnesses.ts'
import { ask, next, promise, send, update, type Turn } from './turn.ts'
import type { Index, Mark, NodeId } from './types.ts'

/**
 * Snapshots on their way: from a leader's disk to a follower's (§7), and from a disk to the state machine.
 * One piece is on its way at a time, and each says where it belongs, so that a transfer goes on where it
 * was when a message is lost.
 */

/** After so many answered pulses without a word about it, and an election timeout, a piece counts as lost. */
const PULSES = 3

/** Whether the log no longer reaches back to what a follower needs next. */
export const needsSnapshot = (state: State, { next }: Progress): boolean =>
  next <= state.log.base.index

/** At the end of a leader's turn: who needs the snapshot is sent its next piece, once the disk has read it. */
export function sendSnapshots(turn: Turn): Turn {
  const { role, config } = turn.state
  if (role.type !== 'leader') return turn
  return role.progress.reduce(
    (sent, progress) => (progress.id === config.id ? sent : sendSnapshot(sent, progress)),
    turn,
  )
}

function sendSnapshot(turn: Turn, progress: Progress): Turn {
  const { snapshot, role } = turn.state
  if (!needsSnapshot(turn.state, progress)) {
    return progress.sending === undefined ? turn : note(turn, progress, undefined)
  }
  if (snapshot === undefined || role.type !== 'leader') {
    throw new InvariantError(`no snapshot stands for the entries that ${progress.id} needs`)
  }
  const { sending } = progress
  if (sending?.round !== undefined) return turn
  const { index, offset } = sending ?? { index: snapshot.index, offset: 0 }
  const noted = note(turn, progress, { index, offset, round: role.round, at: turn.at })
  if (isWitness(turn.state.configurations, progress.id))
    return sendEmpty(noted, progress.id, snapshot)
  return ask(noted, { type: 'readChunk', index, offset, reader: progress.id })
}

/** A witness gets what the snapshot stands for, without the state. */
const sendEmpty = (turn: Turn, to: NodeId, { index, term: indexTerm, members }: Mark): Turn =>
  send(turn, to, {
    ...{ type: 'install', term: turn.state.term, index, indexTerm, members },
    ...{ offset: 0, bytes: new Uint8Array(), isLast: true, checksum: 0 },
  })

/** A snapshot without any bytes is one without a state: a state takes some. */
const isEmpty = ({
  offset,
  isLast,
  bytes,
}: Pick<Install, 'offset' | 'isLast'> & { readonly bytes: Uint8Array }): boolean =>
  offset === 0 && isLast && bytes.length === 0

/** A piece is read: the follower gets it, or the state machine does. */
export function chunkRead(turn: Turn, piece: ChunkRead): Turn {
  return piece.reader === turn.state.config.id ? restorePiece(turn, piece) : deliver(turn, piece)
}

function deliver(turn: Turn, piece: ChunkRead): Turn {
  const { role, term, snapshot } = turn.state
  const progress = role.type === 'leader' ? progressOf(role, piece.reader) : undefined
  const sending = progress?.sending
  if (progress === undefined || sending === undefined) return turn
  const { index, offset, bytes, isLast, checksum } = piece
  if (sending.index !== index || sending.offset !== offset) return turn
  // Another snapshot has taken its place: begin with that one.
  if (bytes === undefined || snapshot?.index !== index) return note(turn, progress, undefined)
  const { members, term: indexTerm } = snapshot
  return send(turn, piece.reader, {
    ...{ type: 'install', term, index, indexTerm, members, offset, bytes, isLast },
    checksum: checksum ?? 0,
  })
}

/** The follower has a piece and waits for the next. */
export function installed(turn: Turn, from: NodeId, { index, end }: Installed): Turn {
  const { role } = turn.state
  const progress = role.type === 'leader' ? progressOf(role, from) : undefined
  if (progress?.sending?.index !== index) return turn
  const sending = { index, offset: end, round: undefined, at: turn.at }
  return note(turn, { ...progress, contact: turn.at }, sending)
}

/**
 * A follower has answered a pulse: what went out well before it, and is not spoken of, is lost. Pulses alone do not
 * tell, since reads make as many as there is time for.
 */
export function sendAgain(
  sending: Progress['sending'],
  round: number,
  { at, state }: Pick<Turn, 'at' | 'state'>,
): Progress['sending'] {
  if (sending?.round === undefined || round < sending.round + PULSES) return sending
  const isRecent = at < sending.at + state.config.electionTimeoutMin
  return isRecent ? sending : { ...sending, round: undefined }
}

function note(turn: Turn, changed: Progress, sending: Progress['sending']): Turn {
  const { role } = turn.state
  if (role.type !== 'leader') return turn
  const progress = role.progress.map((it) =>
    it.id === changed.id ? changedProgress(changed, { sending }) : it,
  )
  return update(turn, { role: changedLeader(role, { progress }) })
}

/** A piece of the leader's snapshot arrives. */
export function install(turn: Turn, from: NodeId, message: Install): Turn {
  const following = hear(turn, from)
  const { commitIndex, term, log, receiving: before, taking } = following.state
  const { index, offset } = message
  if (index <= commitIndex) {
    const known = termAt(log, index)
    if (known !== undefined && known !== message.indexTerm) {
      throw new InvariantError(
        `${from} has a snapshot through ${index}@${message.indexTerm}, committed is ${index}@${known}`,
      )
    }
    return promise(following, from, { type: 'appended', term, match: index })
  }
  // What the disk has been given wholly may be its newest snapshot: it answers first.
  if (taking?.isWhole === true || before?.isWhole === true) return following
  const present = isOf(before, from, message) ? before : undefined
  if (offset !== (present?.end ?? 0)) return repeat(following, from, index, offset, present)
  const mark = { index, term: message.indexTerm, members: message.members }
  const end = offset + message.bytes.length
  const { bytes, isLast } = message
  const isHollow = following.state.isHollow || isEmpty(message)
  const receiving = { from, term, mark, written: offset, end, isWhole: isLast }
  const noted = update(following, { receiving, taking: undefined, isHollow })
  const checksum = isLast ? message.checksum : undefined
  return ask(noted, { type: 'writeChunk', mark, offset, bytes, isLast, checksum })
}

const isOf = (receiving: Receiving | undefined, from: NodeId, message: Install): boolean =>
  receiving !== undefined &&
  receiving.from === from &&
  receiving.term === message.term &&
  receiving.mark.index === message.index

/** Tells where to go on, unless the answer is on its way: the piece is being written. */
function repeat(
  turn: Turn,
  from: NodeId,
  index: Index,
  offset: number,
  present: Receiving | undefined,
): Turn {
  if (present !== undefined && offset < present.end && present.written < present.end) return turn
  const { term } = turn.state
  return send(turn, from, { type: 'installed', term, index, end: present?.written ?? 0 })
}

/** A piece of the leader's snapshot is written: the next one, or it is whole. */
export function chunkWritten(turn: Turn, { index, end, isLast }: ChunkWritten): Turn {
  const { receiving, term } = turn.state
  if (receiving?.mark.index !== index || receiving.end !== end) return turn
  if (isLast) return takeOver(turn, receiving)
  const noted = update(turn, { receiving: { ...receiving, written: end } })
  if (receiving.term !== term) return noted
  return send(noted, receiving.from, { type: 'installed', term, index, end })
}

/** What arrived is not what the leader has: it begins again. */
export function chunkRefused(turn: Turn, { index }: ChunkRefused): Turn {
  const { receiving, term } = turn.state
  if (receiving?.mark.index !== index) return turn
  const forgotten = update(turn, { receiving: undefined })
  if (receiving.term !== term) return forgotten
  return send(forgotten, receiving.from, { type: 'installed', term, index, end: 0 })
}

/**
 * The snapshot is durable. It stands for the log through its mark, and for all of it when the log does not
 * hold the mark's entry (§7).
 */
function takeOver(turn: Turn, { from, term, mark }: Receiving): Turn {
  const { handedIndex, restoring } = turn.state
  const isOld = restoring === undefined && mark.index <= handedIndex
  const taken = isOld ? adopt(turn, mark) : replace(turn, mark)
  if (term !== turn.state.term) return taken
  return promise(taken, from, { type: 'appended', term, match: mark.index })
}

function replace(turn: Turn, mark: Mark): Turn {
  const { log, configurations } = turn.state
  const restoring = { mark, end: 0, isBusy: false }
  const commitIndex = Math.max(turn.state.commitIndex, mark.index)
  const restored = update(turn, { commitIndex, restoring })
  if (termAt(log, mark.index) === mark.term) {
    const later = configurations.filter((members) => members.index > mark.index)
    return update(adopt(restored, mark), { configurations: [mark.members, ...later] })
  }
  // Nothing of the old log is forgotten before the reset is durable: what is left of it would look as if it
  // followed the snapshot. What this turn wrote so far is of that log, too.
  const renewed = update(latest(restored, mark), {
    ...{ log: emptyLog(mark), configurations: [mark.members] },
  })
  return next(renewed, { reset: { index: mark.index, term: mark.term }, writes: [] })
}

/** At the end of every turn: the state machine takes over a snapshot piece by piece. */
export function restoreSnapshot(turn: Turn): Turn {
  const { restoring, config } = turn.state
  if (restoring === undefined || restoring.isBusy) return turn
  const { mark, end: offset } = restoring
  const noted = update(turn, { restoring: { ...restoring, isBusy: true } })
  return ask(noted, { type: 'readChunk', index: mark.index, offset, reader: config.id })
}

function restorePiece(turn: Turn, { index, offset, bytes, isLast }: ChunkRead): Turn {
  const { restoring } = turn.state
  if (restoring?.mark.index !== index || restoring.end !== offset) return turn
  if (bytes === undefined) throw new InvariantError(`the snapshot through ${index} is gone`)
  const { mark } = restoring
  const isHollow = turn.state.isHollow || isEmpty({ offset, isLast, bytes })
  const noted = update(turn, { isHollow, restoring: { ...restoring, end: offset + bytes.length } })
  return next(noted, { restore: { mark, offset, bytes, isLast } })
}

/** The state machine has a piece of it, or all. */
export function pieceRestored(turn: Turn, index: Index, isLast: boolean): Turn {
  const { restoring } = turn.state
  if (restoring?.mark.index !== index) return turn
  return isLast
    ? update(turn, {
        ...{ restoring: undefined, handedIndex: index },
        appliedIndex: Math.max(turn.state.appliedIndex, index),
      })
    : update(turn, { restoring: { ...restoring, isBusy: false } })
}
