import type { Batch } from './batch.ts'
import { InvariantError, type Kept, type Unchanged } from './errors.ts'
import type { Event } from './events.ts'
import type { Fingerprint } from './fingerprint.ts'
import { read } from './log.ts'
import type { Envelope, Message } from './messages.ts'
import { changed, type Change, type State } from './state.ts'
import type { Forget, ReadChunk, Save, WriteChunk } from './storage.ts'
import type { Index, Mark, Millis, NodeId, Position, Term } from './types.ts'

/**
 * What one turn of the loop decided: the new state, and what the world must do about it.
 */
export interface Step {
  readonly at: Millis
  readonly events: readonly Event[]
  readonly state: State
  /** To be made durable; promises wait in `state.saving` until it is. */
  readonly save: Save | undefined
  /** What the disk is asked besides. */
  readonly disk: readonly (WriteChunk | ReadChunk | Forget)[]
  /** Messages that may leave now. */
  readonly send: readonly Envelope[]
  /** Newly committed entries, to be applied in order. */
  readonly committed: readonly Batch[]
  /** The state machine is to give a piece of its state: the first of a new snapshot, or the next. */
  readonly capture: 'first' | 'next' | undefined
  /** A piece of a snapshot, of which the first replaces the state machine's state. */
  readonly restore: Piece | undefined
  /** What the state machine made of the batches that this turn heard of. */
  readonly applied: readonly AppliedBatch[]
  readonly answers: readonly Answer[]
}

/** A piece of a snapshot, from byte `offset` on. */
export interface Piece {
  readonly mark: Mark
  readonly offset: number
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

/** A batch with one outcome for each of its commands; none for a batch without commands. */
export interface AppliedBatch {
  readonly batch: Batch
  readonly outcomes: readonly unknown[]
  /** Those of the state at entries of the batch where all servers take one. */
  readonly fingerprints?: readonly Fingerprint[]
}

/** Answers to proposals and reads, by the ticket that they came with. */
export type Answer =
  | {
      readonly type: 'accepted'
      readonly ticket: number
      readonly index: Index
      readonly term: Term
    }
  | { readonly type: 'notLeader'; readonly ticket: number; readonly leader: NodeId | undefined }
  /** The leader to which it was passed on is none any more, and has not said what became of it. */
  | { readonly type: 'unanswered'; readonly ticket: number }
  | { readonly type: 'overloaded'; readonly ticket: number }
  | { readonly type: 'noSpace'; readonly ticket: number }
  /** The read may be answered from what is applied now. */
  | { readonly type: 'readable'; readonly ticket: number }
  /** The read could not be confirmed; nothing was lost by asking. */
  | { readonly type: 'unreadable'; readonly ticket: number; readonly leader: NodeId | undefined }
  /** Another configuration is in force and committed, set by the entry at `index`. */
  | { readonly type: 'changed'; readonly ticket: number; readonly index: Index }
  | {
      readonly type: 'unchanged'
      readonly ticket: number
      readonly reason: Unchanged
      readonly leader: NodeId | undefined
    }
  /** The leadership is gone, as it was wanted; or it is not. */
  | { readonly type: 'handedOver'; readonly ticket: number; readonly to: NodeId }
  | {
      readonly type: 'kept'
      readonly ticket: number
      readonly reason: Kept
      readonly leader: NodeId | undefined
    }
  /** A snapshot stands for everything through `index`. */
  | { readonly type: 'snapshotTaken'; readonly ticket: number; readonly index: Index }

/** What a turn has decided so far, while its events are folded in one after another. */
export interface Turn {
  readonly at: Millis
  readonly state: State
  readonly hasNewBallot: boolean
  /** The log begins anew behind this entry. */
  readonly reset: Position | undefined
  readonly writes: readonly Batch[]
  readonly disk: Step['disk']
  readonly capture: Step['capture']
  readonly restore: Step['restore']
  readonly promises: readonly Envelope[]
  readonly send: readonly Envelope[]
  readonly applied: readonly AppliedBatch[]
  readonly answers: readonly Answer[]
}

export const begin = (state: State): Turn => ({
  at: 0,
  state,
  hasNewBallot: false,
  reset: undefined,
  writes: [],
  disk: [],
  capture: undefined,
  restore: undefined,
  promises: [],
  send: [],
  applied: [],
  answers: [],
})

/** The turn with a change, field by field as in {@link changed}. */
export const next = (turn: Turn, change: Partial<Turn>): Turn => ({
  at: change.at ?? turn.at,
  state: change.state ?? turn.state,
  hasNewBallot: change.hasNewBallot ?? turn.hasNewBallot,
  reset: change.reset ?? turn.reset,
  writes: change.writes ?? turn.writes,
  disk: change.disk ?? turn.disk,
  capture: change.capture ?? turn.capture,
  restore: change.restore ?? turn.restore,
  promises: change.promises ?? turn.promises,
  send: change.send ?? turn.send,
  applied: change.applied ?? turn.applied,
  answers: change.answers ?? turn.answers,
})

export const update = (turn: Turn, change: Change): Turn =>
  next(turn, { state: changed(turn.state, change) })

/** A new term or a vote: durable before anything that depends on it leaves (§5.2). */
export const ballot = (turn: Turn, term: Term, vote: NodeId | undefined): Turn =>
  next(turn, { state: { ...turn.state, term, vote }, hasNewBallot: true })

export const write = (turn: Turn, batches: readonly Batch[]): Turn =>
  next(turn, { writes: [...turn.writes, ...batches] })

export const ask = (turn: Turn, request: Turn['disk'][number]): Turn =>
  next(turn, { disk: [...turn.disk, request] })

export const answer = (turn: Turn, ...answers: readonly Answer[]): Turn =>
  next(turn, { answers: [...turn.answers, ...answers] })

/** Sends a message that promises nothing about this server's disk. */
export const send = (turn: Turn, to: NodeId, message: Message): Turn =>
  next(turn, { send: [...turn.send, { from: turn.state.config.id, to, message }] })

/** Sends a message once everything that this server has decided so far is durable. */
export const promise = (turn: Turn, to: NodeId, message: Message): Turn =>
  next(turn, { promises: [...turn.promises, { from: turn.state.config.id, to, message }] })

/** Ends a turn: what must be durable becomes one save, and the promises wait for it. */
export function finish(turn: Turn, events: readonly Event[]): Step {
  const { state: settled, save, send } = settlePromises(turn)
  const { state, committed } = handOver(settled)
  return {
    at: turn.at,
    events,
    state,
    save,
    disk: turn.disk,
    send,
    committed,
    capture: turn.capture,
    restore: turn.restore,
    applied: turn.applied,
    answers: turn.answers,
  }
}

/** What is committed goes to the state machine, once it has taken over the snapshot before it. */
function handOver(state: State): Pick<Step, 'state' | 'committed'> {
  const { log, handedIndex, commitIndex, restoring } = state
  if (restoring !== undefined || handedIndex === commitIndex) return { state, committed: [] }
  const committed = read(log, handedIndex + 1, commitIndex)
  return { state: changed(state, { handedIndex: commitIndex }), committed }
}

/** Promises wait for this turn's save, or else for the last one under way, or else leave now. */
function settlePromises(turn: Turn): Pick<Step, 'state' | 'save' | 'send'> {
  const { at, state, promises, send, reset, writes: batches } = turn
  if (turn.hasNewBallot || reset !== undefined || batches.length > 0) {
    const { term, vote } = state
    const sequence = state.sequence + 1
    const saving = [...state.saving, { sequence, at, term, promises: highest(promises) }]
    return {
      state: changed(state, { sequence, saving }),
      save: { type: 'save', sequence, term, vote, batches, ...(reset && { reset }) },
      send,
    }
  }
  if (promises.length === 0) return { state, save: undefined, send }
  const last = state.saving.at(-1)
  if (last === undefined) return { state, save: undefined, send: [...send, ...highest(promises)] }
  const waiting = { ...last, promises: highest([...last.promises, ...promises]) }
  const saving = [...state.saving.slice(0, -1), waiting]
  return { state: changed(state, { saving }), save: undefined, send }
}

/** Of several acknowledgements to one leader, the highest says it all. */
function highest(promises: readonly Envelope[]): readonly Envelope[] {
  if (promises.length < 2) return promises
  const matches = new Map<string, Index>()
  for (const { to, message } of promises) {
    if (message.type !== 'appended') continue
    const key = `${message.term} ${to}`
    matches.set(key, Math.max(matches.get(key) ?? 0, message.match))
  }
  return promises.filter(({ to, message }) => {
    if (message.type !== 'appended') return true
    const key = `${message.term} ${to}`
    return matches.get(key) === message.match && matches.delete(key)
  })
}

/** Takes the promises of the oldest save, which is durable now. */
export function saved(
  turn: Turn,
  sequence: number,
  term: Term,
): { readonly turn: Turn; readonly promises: readonly Envelope[] } {
  const [oldest, ...saving] = turn.state.saving
  if (oldest?.sequence !== sequence || oldest.term !== term) {
    throw new InvariantError(
      `the storage acknowledged save ${sequence} of term ${term} instead of ` +
        (oldest === undefined ? 'nothing' : `save ${oldest.sequence} of term ${oldest.term}`),
    )
  }
  return { turn: update(turn, { saving }), promises: oldest.promises }
}
