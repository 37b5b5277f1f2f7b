import type { Declined, Forwarded } from './messages.ts'
import type { NodeId, Term } from './types.ts'

/** What a follower has passed on to the leader of a term. It stays while nobody is known to lead in that term. */
export interface Forwarding {
  readonly term: Term
  readonly channel: number
  /** The number of the next batch. */
  readonly next: number
  /** What the leader has not answered, oldest first. */
  readonly waiting: readonly PassedOn[]
  /** The number of the oldest of them when the leader was last heard. */
  readonly overdue: number
}

export interface PassedOn {
  readonly ticket: number
  readonly sequence: number
  readonly isRequest: boolean
  readonly count: number
  readonly bytes: Uint8Array
}

/** Before anything was passed on. */
export const NOTHING_PASSED_ON: Forwarding = {
  ...{ term: 0, channel: 0, next: 0, waiting: [], overdue: -1 },
}

/** What one life of a follower's has passed on. */
export interface Channel {
  readonly from: NodeId
  readonly id: number
  /** The number of the batch that is to come next. */
  readonly next: number
  /** What those before it were answered, as far back as the follower may not have heard of it. */
  readonly replies: readonly (Forwarded | Declined)[]
}
