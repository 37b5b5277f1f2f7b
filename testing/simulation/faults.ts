import type { Millis, NodeId } from '../../lib/types.ts'

/** Something that goes wrong, or right again, with everything that there is to know about it. */
export type Fault = NetworkFault | ProcessFault | ClockFault | DiskFault

export type NetworkFault =
  /** Nothing passes in one direction. */
  | { readonly type: 'cut'; readonly from: NodeId; readonly to: NodeId }
  /** Only servers of one group hear each other. */
  | { readonly type: 'partition'; readonly groups: readonly (readonly NodeId[])[] }
  /** Two groups that only `over` hears and is heard by. */
  | {
      readonly type: 'bridge'
      readonly over: NodeId
      readonly groups: readonly (readonly NodeId[])[]
    }
  /** Each server hears only its two neighbours in the circle. */
  | { readonly type: 'ring'; readonly order: readonly NodeId[] }
  /** Every direction is open again. */
  | { readonly type: 'heal' }
  /** Of all messages, this part is lost: 0 to 1. */
  | { readonly type: 'lose'; readonly rate: number }
  /** Of all messages, this part arrives twice. */
  | { readonly type: 'duplicate'; readonly rate: number }
  /** Of all messages, this part does not keep its place among those of its sender. */
  | { readonly type: 'reorder'; readonly rate: number }
  /** Every message takes up to `ms` longer. */
  | { readonly type: 'delay'; readonly ms: Millis }
  /** Of all messages, this part arrives again up to `ms` later, when whatever it was about may be over. */
  | { readonly type: 'echo'; readonly rate: number; readonly ms: Millis }
  /** Messages of one direction wait on their way. */
  | { readonly type: 'hold'; readonly from: NodeId; readonly to: NodeId }
  /** Messages that waited arrive, all at once and in their order. */
  | { readonly type: 'release'; readonly from: NodeId; readonly to: NodeId }

export type ProcessFault =
  /** The process dies; what it has written, synced or not, reaches the disk. */
  | { readonly type: 'crash'; readonly id: NodeId }
  | { readonly type: 'restart'; readonly id: NodeId }
  /** The process stands still: its timers and its mail wait. */
  | { readonly type: 'pause'; readonly id: NodeId }
  | { readonly type: 'resume'; readonly id: NodeId }

export type ClockFault =
  /** The server's clock shows `ms` more at once. */
  | { readonly type: 'jump'; readonly id: NodeId; readonly ms: Millis }
  /** The server's clock shows `rate` milliseconds for each that passes; 1 is right. */
  | { readonly type: 'drift'; readonly id: NodeId; readonly rate: number }

export type DiskFault =
  /** Each sync takes `ms` longer, each piece of a snapshot up to `ms`; 0 ends it. */
  | { readonly type: 'slowDisk'; readonly id: NodeId; readonly ms: Millis }
  /** No sync ends until `unstallDisk`; pieces of snapshots do or do not. */
  | { readonly type: 'stallDisk'; readonly id: NodeId }
  | { readonly type: 'unstallDisk'; readonly id: NodeId }
  /** The next sync fails, which stops the node. Of what was not synced, the part `keep` is there. */
  | { readonly type: 'failFsync'; readonly id: NodeId; readonly keep: number }
  /** The power fails in the middle of the next sync: of what was not synced, the part `keep` is there. */
  | { readonly type: 'tearWrite'; readonly id: NodeId; readonly keep: number }
  /** The power fails in the middle of the next sync: nothing that was not synced is there. */
  | { readonly type: 'loseWrites'; readonly id: NodeId }
  /** The server is down, and its log cannot be read any more: it stays down. */
  | { readonly type: 'flipBit'; readonly id: NodeId }
  /**
   * The power fails in the middle of the next piece of a snapshot; what was not synced is there in part, a snapshot
   * that is all written with the probability `keep`.
   */
  | {
      readonly type: 'tearSnapshot'
      readonly id: NodeId
      readonly keep: number
      /** It waits for the last piece of another server's snapshot. */
      readonly isEnd: boolean
    }
  /** A bit flips in the next snapshot of another server, on its way to the disk, which notices. */
  | { readonly type: 'garbleChunk'; readonly id: NodeId }
  /** The server's snapshot cannot be read any more. If it tries to before there is a newer one, it stays down. */
  | { readonly type: 'flipSnapshot'; readonly id: NodeId }
  /** Every write fails until `freeDisk`, which stops the node; a snapshot is only refused. */
  | { readonly type: 'fillDisk'; readonly id: NodeId }
  | { readonly type: 'freeDisk'; readonly id: NodeId }
  /** The disk says that it has no room for new entries until `makeRoom`; what is there already it goes on with. */
  | { readonly type: 'runShort'; readonly id: NodeId }
  | { readonly type: 'makeRoom'; readonly id: NodeId }
  /** The server is down, and its disk is empty: it may vote twice, which Raft does not survive. */
  | { readonly type: 'wipeDisk'; readonly id: NodeId }

export type FaultKind = Fault['type']

/** A fault and when it happens, in virtual ms. Many of them are a schedule, which can be replayed. */
export type FaultEvent = Fault & { readonly at: Millis; readonly aim?: Aim }

/**
 * Who leads is known only when the fault happens: the server `as` and the leader of that moment then change
 * places in it. What ends a trouble has its `number`, and hits whom its beginning has hit.
 */
export interface Aim {
  readonly as: NodeId
  readonly number: number
}
