import type { Batch } from './batch.ts'
import type { Index, Members, NodeId, Term } from './types.ts'

/** One message between two servers. The transport carries it; only the reducer understands it. */
export interface Envelope {
  readonly from: NodeId
  readonly to: NodeId
  /** Where the receiver is, when the configuration says so. It stays with the sender. */
  readonly address?: string
  readonly message: Message
}

/** Everything that servers say to each other. */
export type Message =
  | RequestVote
  | Vote
  | Append
  | Appended
  | Rejected
  | Heartbeat
  | HeartbeatReply
  | ReadIndex
  | ReadIndexReply
  | Install
  | Installed
  | TimeoutNow
  | FingerprintClaim
  | Forward
  | Forwarded
  | Declined
  | RoundTrip

/** A (pre-)candidate asks for a vote (§5.2). */
export interface RequestVote {
  readonly type: 'requestVote'
  /** The term to be won: the candidate's own, or, asked in advance, the one after it. */
  readonly term: Term
  /** A question in advance, which moves no term and spends no vote (thesis §9.6). */
  readonly pre: boolean
  /** The leader itself wants this election, so that loyalty to it does not count (thesis §3.10). */
  readonly handedOver: boolean
  readonly lastIndex: Index
  readonly lastTerm: Term
}

/** The answer to {@link RequestVote}. */
export interface Vote {
  readonly type: 'vote'
  /** Granted: the term asked for. Refused: the term of the one who refuses. */
  readonly term: Term
  readonly pre: boolean
  readonly granted: boolean
}

/** The leader's entries, after the entry that both must share (§5.3). */
export interface Append {
  readonly type: 'append'
  readonly term: Term
  readonly prevIndex: Index
  readonly prevTerm: Term
  /** Consecutive from `prevIndex + 1`; none asks whether everything sent so far has arrived. */
  readonly batches: readonly Batch[]
  /** The leader's commit index. */
  readonly commit: Index
}

/** A promise: the sender's disk holds the leader's log through `match`. */
export interface Appended {
  readonly type: 'appended'
  readonly term: Term
  readonly match: Index
}

/** The sender's log has no entry `prevIndex` of the leader's term for it. */
export interface Rejected {
  readonly type: 'rejected'
  readonly term: Term
  /** The `prevIndex` that was refused, which tells old refusals from new ones. */
  readonly prevIndex: Index
  /** The last index where the logs may still agree, and its term in the sender's log. */
  readonly hintIndex: Index
  readonly hintTerm: Term
}

/** The leader's pulse. */
export interface Heartbeat {
  readonly type: 'heartbeat'
  readonly term: Term
  /** What the receiver may commit: never more than it has acknowledged, in this term or an earlier one. */
  readonly commit: Index
  /**
   * The term of the entry at `commit`, by which the receiver sees that it still holds it; 0 when the leader's
   * log begins behind it. Then it is not to be committed, only to be there.
   */
  readonly commitTerm: Term
  /** Counts the leader's pulses; reads wait for a quorum to answer theirs (thesis §6.4). */
  readonly round: number
}

export interface HeartbeatReply {
  readonly type: 'heartbeatReply'
  readonly term: Term
  readonly round: number
}

/** A follower asks where a linearizable read may happen (thesis §6.4). */
export interface ReadIndex {
  readonly type: 'readIndex'
  readonly term: Term
  readonly ticket: number
}

/** The read named by `ticket` is linearizable once `index` is applied. */
export interface ReadIndexReply {
  readonly type: 'readIndexReply'
  readonly term: Term
  readonly ticket: number
  readonly index: Index
}

/** A piece of the leader's snapshot, for a follower that needs entries which the log no longer has (§7). */
export interface Install {
  readonly type: 'install'
  readonly term: Term
  /** The last entry that the snapshot stands for, its term and its configuration. */
  readonly index: Index
  readonly indexTerm: Term
  readonly members: Members
  readonly offset: number
  readonly bytes: Uint8Array
  readonly isLast: boolean
  /** With the last piece: CRC-32 of the whole; otherwise 0. */
  readonly checksum: number
}

/** The sender has `end` bytes of that snapshot and waits for what follows. */
export interface Installed {
  readonly type: 'installed'
  readonly term: Term
  readonly index: Index
  readonly end: number
}

/** The leader wants the receiver, which has everything, to lead in its place (thesis §3.10). */
export interface TimeoutNow {
  readonly type: 'timeoutNow'
  readonly term: Term
}

/** The sender, which leads, had this state after the entry at `index`: who has another one has gone wrong. */
export interface FingerprintClaim {
  readonly type: 'fingerprint'
  readonly term: Term
  readonly index: Index
  /** 1 to 64 visible characters of ASCII. */
  readonly value: string
}

/** A follower passes a batch of commands on, to be taken in as if they had been proposed to the leader. */
export interface Forward {
  readonly type: 'forward'
  readonly term: Term
  /** Tells this life of the sender's from earlier ones. */
  readonly channel: number
  /** Counts what the sender has passed on in this term, from 0 on and without a gap. */
  readonly sequence: number
  /** The sender knows what became of everything before this one. At most `sequence`. */
  readonly lowest: number
  /** Whether it is a batch of kind `request`; otherwise of kind `command`. */
  readonly isRequest: boolean
  readonly count: number
  readonly bytes: Uint8Array
}

/** The batch is in the leader's log, from `index` on, in the term of this message. */
export interface Forwarded {
  readonly type: 'forwarded'
  readonly term: Term
  readonly channel: number
  readonly sequence: number
  readonly index: Index
}

/** The leader has not taken the batch in and never will: too much waits, unless something else is said. */
export interface Declined {
  readonly type: 'declined'
  readonly term: Term
  readonly channel: number
  readonly sequence: number
  /** Its disk is full. */
  readonly isShortOfSpace: boolean
  /** It is handing its leadership over. */
  readonly isLeaving: boolean
}

/** The leader has measured how long a message and its answer take. Its followers wait accordingly. */
export interface RoundTrip {
  readonly type: 'roundTrip'
  readonly term: Term
  /** Whole milliseconds that few round trips exceed. */
  readonly ms: number
}
