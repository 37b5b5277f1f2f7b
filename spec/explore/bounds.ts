import type { NodeId, Term } from '../../lib/types.ts'

/** How far an exploration goes. Within its bounds it leaves nothing out. */
export interface Bounds {
  /** Servers: 1 to 4, named a, b, c, d. */
  readonly nodes: number
  /** Nobody campaigns for a term after this one. */
  readonly terms: Term
  /** Commands proposed in all, besides the empty entry of each leader. */
  readonly entries: number
  /** Crashes in all, each followed by a restart. */
  readonly crashes: number
  /** Messages in flight that may still be delivered; with more, every choice of which are lost. */
  readonly messages: number
  /** Messages delivered once more than they were sent, in all. */
  readonly duplicates: number
  /** Pulses that a leader sends by itself in one term; each read allows for two more. */
  readonly pulses: number
  /** Reads asked for in all; each may be asked at any server. */
  readonly reads: number
  /** How many events one turn of a server's loop may take in. */
  readonly turn: 1 | 2
  /** Whether servers may also have heard their leader a moment ago when a vote is asked of them (thesis §4.2.3). */
  readonly loyal: boolean
  /** Whether servers ask for votes in advance (thesis §9.6). */
  readonly preVote: boolean
  /** Batches in one append: 1 separates what a leader sends, so that it can arrive in part. */
  readonly batchesPerAppend: 1 | 2
  /** What stands on the disks at the start; by default nothing. */
  readonly disks?: Readonly<Record<NodeId, StartingDisk>>
}

/** A disk by its ballot and the terms of its entries, all of them empty ones. */
export interface StartingDisk {
  readonly term: Term
  readonly vote?: NodeId
  readonly log: readonly Term[]
}

export const bounded = (bounds: Partial<Bounds>): Bounds => ({
  nodes: 3,
  terms: 1,
  entries: 0,
  crashes: 0,
  messages: 3,
  duplicates: 0,
  pulses: 0,
  reads: 0,
  turn: 1,
  loyal: false,
  preVote: true,
  batchesPerAppend: 2,
  ...bounds,
})

export const namesOf = ({ nodes }: Bounds): readonly NodeId[] =>
  ['a', 'b', 'c', 'd'].slice(0, nodes)
