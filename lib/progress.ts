import type { Pulse } from './state.ts'
import type { Trip } from './tuning.ts'
import type { Index, Millis, NodeId } from './types.ts'

/** What a leader knows of one follower (§5.3, "nextIndex and matchIndex"). */
export interface Progress {
  readonly id: NodeId
  /** The last index known to be on the follower's disk and equal to the leader's. */
  readonly match: Index
  /**
   * The last committed entry that it had acknowledged when it was last counted for less: to this leader, now or
   * in an earlier term. A disk that keeps its promises has it for ever.
   */
  readonly held: Index
  /** The next index to send. */
  readonly next: Index
  /** Whether the leader is still looking for where the logs agree: one message at a time. */
  readonly probing: boolean
  readonly inflight: readonly Inflight[]
  /** The commit index of the last message sent. */
  readonly told: Index
  /** When the follower was last heard. */
  readonly contact: Millis
  /** The last pulse that it answered. */
  readonly round: number
  /** The snapshot that it is sent, because the log no longer reaches back to what it needs. */
  readonly sending: Sending | undefined
  /** The pulse whose round trip is measured. */
  readonly timing: Pulse | undefined
  readonly trip: Trip | undefined
}

export interface Sending {
  readonly index: Index
  /** Bytes that the follower has. */
  readonly offset: number
  /** The last pulse before the piece was asked of the disk; `undefined` when none is on its way. */
  readonly round: number | undefined
  /** When that was. */
  readonly at: Millis
}

export interface Inflight {
  readonly last: Index
  readonly bytes: number
}

/** With a change; field by field, because this is hot. */
export const changedProgress = (progress: Progress, change: Partial<Progress>): Progress => ({
  id: progress.id,
  match: change.match ?? progress.match,
  held: change.held ?? progress.held,
  next: change.next ?? progress.next,
  probing: change.probing ?? progress.probing,
  inflight: change.inflight ?? progress.inflight,
  told: change.told ?? progress.told,
  contact: change.contact ?? progress.contact,
  round: change.round ?? progress.round,
  sending: 'sending' in change ? change.sending : progress.sending,
  timing: 'timing' in change ? change.timing : progress.timing,
  trip: change.trip ?? progress.trip,
})

/** What a leader that has heard nothing yet knows of a follower. */
export const unknownProgress = (id: NodeId, next: Index, at: Millis, held = 0): Progress => ({
  id,
  match: 0,
  held,
  next,
  probing: true,
  inflight: [],
  told: 0,
  contact: at,
  round: 0,
  sending: undefined,
  timing: undefined,
  trip: undefined,
})

/** The last committed entry that a follower has acknowledged, also if it is not counted for it now. */
export const heldBy = ({ match, held }: Progress, commitIndex: Index): Index =>
  Math.max(held, Math.min(match, commitIndex))
