import type { Batch } from './batch.ts'
import type { Ballot, Index, Mark, NodeId, Position } from './types.ts'

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
  /**
   * First of all, the whole log is forgotten and goes on behind this entry, through which a durable
   * snapshot stands for it (§7).
   */
  readonly reset?: Position
}

/**
 * A piece of a snapshot to write (§7). They come in order, the next when the one before is written; one
 * at offset 0 begins a snapshot anew, in place of one that was not finished.
 */
export interface WriteChunk {
  readonly type: 'writeChunk'
  readonly mark: Mark
  /** Bytes of the snapshot before this piece. */
  readonly offset: number
  /** Good until the piece is answered: what is to stay is copied. */
  readonly bytes: Uint8Array
  /** The snapshot ends with this piece. */
  readonly isLast: boolean
  /** With the last piece: CRC-32 that the whole must have. `undefined` when nobody has summed it up yet. */
  readonly checksum: number | undefined
}

/** A piece of the newest snapshot is wanted. */
export interface ReadChunk {
  readonly type: 'readChunk'
  /** Which snapshot is meant. */
  readonly index: Index
  readonly offset: number
  /** Whom it is for: comes back with the answer. */
  readonly reader: NodeId
}

/** No entry before this one is needed any more: the disk may forget them, when it likes. Not answered. */
export interface Forget {
  readonly type: 'forget'
  readonly before: Index
}

/** Everything that a server asks of its disk. */
export type DiskRequest = Save | WriteChunk | ReadChunk | Forget

/** Everything that a disk tells, `Restored` first. */
export type DiskFact = Restored | Saved | ChunkWritten | ChunkRefused | ChunkRead | Space | Notice

/** Acknowledges one save, once it is durable. */
export interface Saved {
  readonly type: 'saved'
  readonly sequence: number
  readonly term: number
}

/** What the disk held when it was opened. The first thing that a storage says. */
export interface Restored extends Ballot {
  readonly type: 'restored'
  /**
   * The log, consecutive, terms never falling. Empty on a new disk. It begins at index 1, or, where there
   * is a snapshot, not after the entry behind it, unless there are no entries.
   */
  readonly batches: readonly Batch[]
  /** What the newest whole snapshot stands for. */
  readonly snapshot?: Mark
  /** Whether the last record was torn and is cut off: what was in it may be missing. Default false. */
  readonly isTorn?: boolean
}

/**
 * The disk has no room for more than what it has laid out, or has room again. What is on its way to it is
 * written as far as there is room, and the rest when there is room again.
 */
export interface Space {
  readonly type: 'space'
  readonly isShort: boolean
}

/**
 * A piece of a snapshot is written. With the last one the whole is durable, and has taken the place of the
 * snapshot before it.
 */
export interface ChunkWritten {
  readonly type: 'chunkWritten'
  readonly index: Index
  /** Bytes of the snapshot so far. */
  readonly end: number
  readonly isLast: boolean
}

/** A snapshot is not what its checksum says, and forgotten; the one before it still stands. */
export interface ChunkRefused {
  readonly type: 'chunkRefused'
  readonly index: Index
}

/** The answer to {@link ReadChunk}. */
export interface ChunkRead {
  readonly type: 'chunkRead'
  readonly reader: NodeId
  readonly index: Index
  readonly offset: number
  /**
   * `undefined` when that snapshot is there no more. Good until the reader asks for the next piece but one: what is
   * to stay longer is copied.
   */
  readonly bytes: Uint8Array | undefined
  readonly isLast: boolean
  /** With the last piece: CRC-32 of the whole. */
  readonly checksum: number | undefined
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
