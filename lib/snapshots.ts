import { inForceAt, settledThrough } from './configurations.ts'
import { bytesAfter, compact, indexBefore, termAt } from './log.ts'
import type { Event } from './events.ts'
import type { ChunkRefused, ChunkWritten } from './storage.ts'
import type { State } from './state.ts'
import { answer, ask, next, update, type Turn } from './turn.ts'
import type { Index, Mark } from './types.ts'

/** Somebody wants a snapshot: of the present state, or the one that stands for it already. */
export function snapshotWanted(turn: Turn, ticket: number): Turn {
  const { snapshot, appliedIndex, snapshotTickets } = turn.state
  const covered = snapshot?.index ?? 0
  if (covered >= appliedIndex)
    return answer(turn, { type: 'snapshotTaken', ticket, index: covered })
  return update(turn, { snapshotTickets: [...snapshotTickets, { ticket, index: appliedIndex }] })
}

/** At the end of every turn: enough has been applied since the last snapshot (§7). */
export function takeSnapshot(turn: Turn): Turn {
  if (!isDue(turn)) return turn
  if (turn.state.isHollow) return takeEmpty(turn)
  const taking = { mark: undefined, end: 0, isWhole: false }
  const begun = update(turn, { taking, receiving: undefined })
  return next(begun, { capture: 'first' })
}

/** There is no state to ask for: all that the snapshot says is in the log. */
function takeEmpty(turn: Turn): Turn {
  const { log, configurations, appliedIndex: index } = turn.state
  const mark = { index, term: termAt(log, index)!, members: inForceAt(configurations, index) }
  const begun = update(turn, { taking: { mark, end: 0, isWhole: true }, receiving: undefined })
  return ask(begun, {
    ...{ type: 'writeChunk', mark, offset: 0, bytes: new Uint8Array(), isLast: true },
    checksum: undefined,
  })
}

function isDue({ state, at }: Turn): boolean {
  const { config, log, appliedIndex, taking, restoring, snapshotTickets } = state
  if (taking !== undefined || isReceiving(state) || restoring !== undefined) return false
  const covered = state.snapshot?.index ?? 0
  if (appliedIndex <= covered || at < state.snapshotPause || isSending(state, at)) return false
  const isEnough =
    snapshotTickets.length > 0 ||
    appliedIndex - covered >= config.snapshotEntries ||
    // What the whole log has is known without a search.
    (bytesAfter(log, log.base.index) >= config.snapshotBytes &&
      bytesAfter(log, covered) - bytesAfter(log, appliedIndex) >= config.snapshotBytes)
  // Who has joined and not come to a configuration yet does not know who founded the cluster.
  return isEnough && inForceAt(state.configurations, appliedIndex).voters.length > 0
}

/** What an earlier leader began to send, or what the log has caught up with, nobody goes on sending. */
const isReceiving = ({ receiving, term, commitIndex }: State): boolean =>
  receiving !== undefined &&
  (receiving.isWhole || (receiving.term === term && receiving.mark.index > commitIndex))

/** The snapshot that a follower is being sent stays until it has it, or is not heard any more. */
const isSending = ({ role, config }: State, at: number): boolean =>
  role.type === 'leader' &&
  role.progress.some(
    ({ sending, contact }) => sending !== undefined && at - contact < config.electionTimeoutMax,
  )

/** The state machine has given a piece of its state: to the disk with it. */
export function captured(turn: Turn, piece: Extract<Event, { type: 'captured' }>): Turn {
  const { taking, configurations } = turn.state
  const { index, term, offset, bytes, isLast } = piece
  if (taking === undefined || offset !== taking.end) return turn
  const mark = taking.mark ?? { index, term, members: inForceAt(configurations, index) }
  const end = offset + bytes.length
  return ask(update(turn, { taking: { mark, end, isWhole: isLast } }), {
    ...{ type: 'writeChunk', mark, offset, bytes, isLast, checksum: undefined },
  })
}

/** A piece of this server's own snapshot is written: the next one, or it is whole. */
export function chunkWritten(turn: Turn, { index, end, isLast }: ChunkWritten): Turn {
  const { taking } = turn.state
  if (taking?.mark?.index !== index || taking.end !== end) return turn
  return isLast ? adopt(turn, taking.mark) : next(turn, { capture: 'next' })
}

/** The disk could not keep this server's own snapshot: after a pause, another one begins. */
export function chunkRefused(turn: Turn, { index }: ChunkRefused): Turn {
  if (turn.state.taking?.mark?.index !== index) return turn
  const snapshotPause = turn.at + PAUSE * turn.state.config.electionTimeoutMax
  return update(turn, { taking: undefined, snapshotPause })
}

/** So many of the longest election timeouts. */
const PAUSE = 10

/** A snapshot is durable: it stands for the entries through its mark, of which only a tail stays. */
export function adopt(turn: Turn, mark: Mark): Turn {
  const { state } = turn
  const kept = indexBefore(state.log, mark.index, state.config.snapshotTailBytes)
  const log = compact(state.log, kept)
  const configurations = settledThrough(state.configurations, mark.index)
  const adopted = update(latest(turn, mark), { log, configurations })
  return ask(adopted, { type: 'forget', before: log.base.index + 1 })
}

/** A snapshot is durable, and the newest: no other one is on its way, and whoever waited for it is told. */
export const latest = (turn: Turn, mark: Mark): Turn =>
  tell(update(turn, { snapshot: mark, taking: undefined, receiving: undefined }), mark.index)

/** Whoever waited for a snapshot of so much has it; the others wait for the next one. */
function tell(turn: Turn, index: Index): Turn {
  const { snapshotTickets } = turn.state
  if (snapshotTickets.length === 0) return turn
  const waiting = snapshotTickets.filter((it) => it.index > index)
  return snapshotTickets
    .filter((it) => it.index <= index)
    .reduce(
      (told, { ticket }) => answer(told, { type: 'snapshotTaken', ticket, index }),
      update(turn, { snapshotTickets: waiting }),
    )
}
