import type { Batch } from './batch.ts'
import type { Ballot } from './types.ts'

/**
 * What must be on disk before the promises that depend on it may leave. Ballot and batches of one
 * save become durable together: after a crash either all of it is there, or a prefix of its batches
 * together with the ballot.
 */
export interface Save extends Ballot {
  readonly type: 'save'
  /** Counts this node's saves from 1, without a gap. */
  readonly sequence: number
  /**
   * Batches to append, in order. One whose `index` is not after the last entry replaces everything
   * from its `index` on (§5.3): a truncation never comes without the entries that caused it.
   */
  readonly batches: readonly Batch[]
}

/** Acknowledges one save, once it is durable. */
export interface Saved {
  readonly type: 'saved'
  readonly sequence: number
  readonly term: number
}

/** What the disk held when it was opened. The first thing that a storage says. */
export interface Restored extends Ballot {
  readonly type: 'restored'
  /** The whole log from index 1, consecutive, terms never falling. Empty on a new disk. */
  readonly batches: readonly Batch[]
}

/**
 * Something that an operator of the cluster should hear of and the protocol need not: a connection
 * lost, a torn record cut off. Notices appear on `trace$`.
 */
export interface Notice {
  readonly type: 'notice'
  readonly source: 'storage' | 'transport'
  /** A stable name in kebab case, such as `torn-tail` or `peer-connected`. */
  readonly code: string
  /** One sentence for a person. */
  readonly message: string
  /** The other server, where there is one. */
  readonly peer?: string
  readonly cause?: unknown
}
