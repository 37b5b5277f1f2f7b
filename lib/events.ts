import type { Kind } from './batch.ts'
import type { Envelope } from './messages.ts'
import type {
  ChunkRead,
  ChunkRefused,
  ChunkWritten,
  Notice,
  Restored,
  Saved,
  Space,
} from './storage.ts'
import type { AppliedBatch } from './turn.ts'
import type { Index, Millis, NodeId, Plan, Position } from './types.ts'

/** Everything that can happen to a server, as facts, stamped with the time at which it was heard of. */
export type Event =
  /** The disk was opened. */
  | Stamped<Restored>
  /** A save is durable. */
  | Stamped<Saved>
  /** An adapter has something to tell, which changes nothing here. */
  | Stamped<Notice>
  /** A message arrived. */
  | { readonly type: 'received'; readonly at: Millis; readonly envelope: Envelope }
  /** The leader was silent for longer than this server's patience (§5.2). */
  | { readonly type: 'electionTimeout'; readonly at: Millis }
  /** It is time for the leader's pulse (§5.2). */
  | { readonly type: 'heartbeatTimeout'; readonly at: Millis }
  /** The leader has not heard a quorum for too long (thesis §6.2). */
  | { readonly type: 'quorumTimeout'; readonly at: Millis }
  | Proposed
  /** Somebody wants to read what is linearizable now. */
  | { readonly type: 'read'; readonly at: Millis; readonly ticket: number }
  /** Somebody wants a snapshot now. */
  | { readonly type: 'snapshotWanted'; readonly at: Millis; readonly ticket: number }
  /** Somebody wants other members. */
  | {
      readonly type: 'changeWanted'
      readonly at: Millis
      readonly ticket: number
      readonly plan: Plan
    }
  /** Somebody wants another leader: this one, or whoever has most. */
  | {
      readonly type: 'transferWanted'
      readonly at: Millis
      readonly ticket: number
      readonly to: NodeId | undefined
    }
  /** A piece of a snapshot is written, refused or read. */
  | Stamped<ChunkWritten>
  | Stamped<ChunkRefused>
  | Stamped<ChunkRead>
  /** The disk is full, or no longer. */
  | Stamped<Space>
  /** The state machine gave a piece of its state, which was that after `index`; good until the next one is asked for. */
  | (Position & {
      readonly type: 'captured'
      readonly at: Millis
      readonly offset: number
      readonly bytes: Uint8Array
      readonly isLast: boolean
    })
  /** The state machine has taken over a piece of the snapshot through `index`. */
  | {
      readonly type: 'pieceRestored'
      readonly at: Millis
      readonly index: Index
      readonly isLast: boolean
    }
  /** The state machine has applied everything through `index`. */
  | {
      readonly type: 'applied'
      readonly at: Millis
      readonly index: Index
      readonly batches: readonly AppliedBatch[]
    }

/** Somebody wants `count` commands in the log, packed as a batch's bytes. */
export interface Proposed {
  readonly type: 'proposed'
  readonly at: Millis
  readonly ticket: number
  readonly kind: Kind
  readonly count: number
  readonly bytes: Uint8Array
}

export type Stamped<T> = T & { readonly at: Millis }
