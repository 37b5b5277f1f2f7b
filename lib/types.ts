/** A server's name, unique in its cluster and never reused for another disk. */
export type NodeId = string

/** A logical clock: at most one leader in each term (§5.1). Terms start at 0 and never go back. */
export type Term = number

/** A position in the log. The first entry has index 1; index 0 is before the first entry. */
export type Index = number

/** Milliseconds of the injected scheduler's monotonic clock. Only differences mean anything. */
export type Millis = number

/** The servers whose majority elects and commits (§5.2, §5.3), sorted and without repetition. */
export interface Members {
  readonly voters: readonly NodeId[]
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
  readonly members: Members
  /** Shortest silence, in ms, after which a follower may campaign; also how long it is loyal to a leader. */
  readonly electionTimeoutMin: number
  /** Longest silence, in ms, that a leader survives without a quorum's answer. */
  readonly electionTimeoutMax: number
  /** Ask for votes without raising the term first (thesis §9.6). */
  readonly preVote: boolean
  /** A leader without a quorum's answer steps down (thesis §6.2). */
  readonly checkQuorum: boolean
  /** Entries of one append message, in bytes; a single larger batch still travels, alone. */
  readonly maxAppendBytes: number
  /** Append messages in flight to one follower. */
  readonly maxInflightMessages: number
  /** Bytes in flight to one follower. */
  readonly maxInflightBytes: number
  /** Bytes that a leader takes in beyond its commit index before it refuses proposals. */
  readonly maxUncommittedBytes: number
}
