/** A server's name, unique in its cluster and never reused for another disk. */
export type NodeId = string

/** A logical clock: at most one leader in each term (§5.1). Terms start at 0 and never go back. */
export type Term = number

/** A position in the log. The first entry has index 1; index 0 is before the first entry. */
export type Index = number

/** Milliseconds of the injected scheduler's monotonic clock. Only differences mean anything. */
export type Millis = number

/**
 * The configuration: which servers vote, which only listen, and where they are (§6). Each list is sorted and
 * without repetition.
 */
export interface Members {
  /** The log entry that set it; 0 for the configuration with which the cluster began. */
  readonly index: Index
  /** The servers whose majority elects and commits (§5.2, §5.3). */
  readonly voters: readonly NodeId[]
  /**
   * During a change, the voters before it: then a majority of both is needed. Empty otherwise.
   */
  readonly outgoing: readonly NodeId[]
  /** Servers that get the log and do not vote; while a change is under way also voters that will be. */
  readonly learners: readonly NodeId[]
  /**
   * Those among all of these that are witnesses: they vote, and keep no commands (thesis §11.7.2). While a change
   * is under way also learners that will be. A server stays one, or none, for as long as it is in the configuration.
   */
  readonly witnesses: readonly NodeId[]
  /** Where servers are reached, as their transport understands it; of those whose place is known. */
  readonly addresses: Readonly<Record<NodeId, string>>
  /** Which servers are to lead rather than others, 1 to 100; left out where nobody has one. Default 0. */
  readonly priorities?: Readonly<Record<NodeId, number>>
}

/** A change of the configuration, relative to the present one. */
export interface Plan {
  /** Servers that are to vote. New ones listen until they have caught up. */
  readonly voters?: readonly NodeId[]
  /** Servers that are to listen only. */
  readonly learners?: readonly NodeId[]
  /** New servers that are to vote and to keep no commands. */
  readonly witnesses?: readonly NodeId[]
  /** Servers that are to leave. */
  readonly remove?: readonly NodeId[]
  /** Where new servers are reached. */
  readonly addresses?: Readonly<Record<NodeId, string>>
  /** Who of all is to lead rather than others: whole numbers from 0 to 100, the higher the rather. */
  readonly priorities?: Readonly<Record<NodeId, number>>
  /** The change is refused unless the present configuration was set by this entry (`Members.index`). */
  readonly expected?: Index
}

/** One entry, as both logs of which it is the last common one know it (§5.3). */
export interface Position {
  readonly index: Index
  readonly term: Term
}

/** What a snapshot stands for: everything through `index`, and what the log said of the cluster (§7). */
export interface Mark extends Position {
  readonly members: Members
}

/** What a server promised in elections; always written as one record (§5.2). */
export interface Ballot {
  readonly term: Term
  /** Whom this server voted for in `term`. */
  readonly vote: NodeId | undefined
}

/** What the pure protocol needs to know. Every field is validated before it arrives here. */
export interface ProtocolConfig {
  readonly id: NodeId
  /** The configuration with which the cluster began; without voters where this server joins one. */
  readonly members: Members
  /** Shortest silence, in ms, after which a follower may campaign; also how long it is loyal to a leader. */
  readonly electionTimeoutMin: number
  /** Longest silence, in ms, that a leader survives without a quorum's answer. */
  readonly electionTimeoutMax: number
  /** Followers that know how long a round trip takes may be as impatient as `electionTimeoutMin`. */
  readonly isTuned: boolean
  /** Ask for votes without raising the term first (thesis §9.6). */
  readonly preVote: boolean
  /** A leader without a quorum's answer steps down (thesis §6.2). */
  readonly checkQuorum: boolean
  /** A leader whose disk has not answered for so long lets another one lead; `Infinity` for never. */
  readonly diskStall: Millis
  /**
   * How long, in ms after a pulse went out that a quorum has answered, a leader may answer reads by itself
   * (thesis §6.4.1); 0 for never. Less than the shortest election timeout, by as much as clocks may drift apart.
   */
  readonly lease: Millis
  /** Pass what is proposed to a follower on to its leader. */
  readonly forward: boolean
  /** Entries of one append message, in bytes; a single larger batch still travels, alone. */
  readonly maxAppendBytes: number
  /** Append messages in flight to one follower. */
  readonly maxInflightMessages: number
  /** Bytes in flight to one follower. */
  readonly maxInflightBytes: number
  /** A snapshot is taken when so many entries were applied since the last one. */
  readonly snapshotEntries: number
  /** A snapshot is taken when so many bytes of entries were applied since the last one. */
  readonly snapshotBytes: number
  /** Bytes of entries before a snapshot that stay in the log, for followers that are a little behind. */
  readonly snapshotTailBytes: number
  /**
   * Bytes beyond what is committed, saved and applied at which a leader refuses proposals; bytes committed and not
   * applied beyond which a follower acknowledges no more.
   */
  readonly maxUncommittedBytes: number
}
