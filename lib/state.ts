import { emptyLog, type Log } from './log.ts'
import type { Envelope } from './messages.ts'
import { reachedByQuorum } from './quorum.ts'
import type { Ballot, Index, Members, Millis, NodeId, ProtocolConfig, Term } from './types.ts'

/** Everything that a server knows. Immutable: each turn makes a new one. */
export interface State extends Ballot {
  readonly config: ProtocolConfig
  readonly members: Members
  /** Whether the disk has spoken. Before that, nothing is believed and nothing is promised. */
  readonly booted: boolean
  readonly role: Role
  readonly log: Log
  /** The last entry known to be committed (§5.3). */
  readonly commitIndex: Index
  /** The last entry that the state machine has applied. */
  readonly appliedIndex: Index
  /** When the leader was last heard, a vote granted or an election begun: silence counts from here. */
  readonly contact: Millis
  /** The number of the last save. */
  readonly sequence: number
  /** Saves that the disk has not acknowledged, oldest first, with the promises that wait for them. */
  readonly saving: readonly Saving[]
  /**
   * The last entry that this server is known to have acknowledged and lost again, with its disk's last
   * writes. Until its log reaches so far again, it neither votes nor campaigns.
   */
  readonly lostIndex: Index
  /** Reads of this server's that a quorum has confirmed and that wait for `appliedIndex`. */
  readonly confirmed: readonly ConfirmedRead[]
  /** Messages that no server following the protocol sends here, counted since the start. */
  readonly dropped: number
}

export interface Saving {
  readonly sequence: number
  readonly term: Term
  readonly promises: readonly Envelope[]
}

export interface ConfirmedRead {
  readonly ticket: number
  readonly index: Index
}

/** What only a server of that role knows lives in the role, and goes with it. */
export type Role = Follower | PreCandidate | Candidate | Leader

export interface Follower {
  readonly type: 'follower'
  /** Who leads in this term, once heard. */
  readonly leader: NodeId | undefined
  /** Reads that the leader was asked to confirm, by ticket. */
  readonly asked: readonly number[]
}

/** Asks whether an election would be won, before it raises the term (thesis §9.6). */
export interface PreCandidate {
  readonly type: 'precandidate'
  readonly votes: Votes
}

export interface Candidate {
  readonly type: 'candidate'
  readonly votes: Votes
}

/** Who has answered in this election, and how. Its own vote counts once it is durable. */
export type Votes = ReadonlyMap<NodeId, boolean>

export interface Leader {
  readonly type: 'leader'
  /** The index of the empty entry that began this term (§8). */
  readonly firstIndex: Index
  /** Every voter's progress, this server's own among them, in the order of the voters. */
  readonly progress: readonly Progress[]
  /** The number of the last pulse. */
  readonly round: number
  /** When the last pulse went out. */
  readonly pulse: Millis
  /** Since when some follower has not been told of the commit index that it could know. */
  readonly untold: Millis | undefined
  readonly reads: readonly LeaderRead[]
}

/** A read that waits for a quorum to confirm that this server still leads (thesis §6.4). */
export interface LeaderRead {
  readonly from: NodeId
  readonly ticket: number
  /** What must be applied before the read: all that was committed when it came, and this term's start. */
  readonly index: Index
  /** The pulse that a quorum must answer; `undefined` until one goes out. */
  readonly round: number | undefined
}

/** What a leader knows of one follower (§5.3, "nextIndex and matchIndex"). */
export interface Progress {
  readonly id: NodeId
  /** The last index known to be on the follower's disk and equal to the leader's. */
  readonly match: Index
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
}

export interface Inflight {
  readonly last: Index
  readonly bytes: number
}

/** A server before its disk has spoken. */
export const booting = (config: ProtocolConfig): State => ({
  config,
  members: config.members,
  booted: false,
  term: 0,
  vote: undefined,
  role: { type: 'follower', leader: undefined, asked: [] },
  log: emptyLog(),
  commitIndex: 0,
  appliedIndex: 0,
  contact: 0,
  sequence: 0,
  saving: [],
  lostIndex: 0,
  confirmed: [],
  dropped: 0,
})

/** What changes within a term; the ballot has a way of its own (`turn.ts`). */
export type Change = Partial<Omit<State, 'config' | 'term' | 'vote'>>

/** The state with a change. Field by field, because this is the hottest line and a spread costs twice. */
export const changed = (state: State, change: Change): State => ({
  config: state.config,
  members: change.members ?? state.members,
  booted: change.booted ?? state.booted,
  term: state.term,
  vote: state.vote,
  role: change.role ?? state.role,
  log: change.log ?? state.log,
  commitIndex: change.commitIndex ?? state.commitIndex,
  appliedIndex: change.appliedIndex ?? state.appliedIndex,
  contact: change.contact ?? state.contact,
  sequence: change.sequence ?? state.sequence,
  saving: change.saving ?? state.saving,
  lostIndex: change.lostIndex ?? state.lostIndex,
  confirmed: change.confirmed ?? state.confirmed,
  dropped: change.dropped ?? state.dropped,
})

/** The same for what a leader knows. */
export const changedLeader = (leader: Leader, change: Partial<Leader>): Leader => ({
  type: 'leader',
  firstIndex: leader.firstIndex,
  progress: change.progress ?? leader.progress,
  round: change.round ?? leader.round,
  pulse: change.pulse ?? leader.pulse,
  untold: 'untold' in change ? change.untold : leader.untold,
  reads: change.reads ?? leader.reads,
})

/** And for what it knows of one follower. */
export const changedProgress = (progress: Progress, change: Partial<Progress>): Progress => ({
  id: progress.id,
  match: change.match ?? progress.match,
  next: change.next ?? progress.next,
  probing: change.probing ?? progress.probing,
  inflight: change.inflight ?? progress.inflight,
  told: change.told ?? progress.told,
  contact: change.contact ?? progress.contact,
  round: change.round ?? progress.round,
})

/** Who leads, as far as this server knows. */
export function leaderOf(state: State): NodeId | undefined {
  switch (state.role.type) {
    case 'leader':
      return state.config.id
    case 'follower':
      return state.role.leader
    case 'precandidate':
    case 'candidate':
      return undefined
  }
}

/** The last moment at which a quorum, the leader itself among it, had been heard. */
export const quorumContact = (state: State, leader: Leader): Millis =>
  reachedByQuorum(state.members, (id) =>
    id === state.config.id ? Infinity : (progressOf(leader, id)?.contact ?? -Infinity),
  )

export const progressOf = (leader: Leader, id: NodeId): Progress | undefined =>
  leader.progress.find((progress) => progress.id === id)

/** Whether entries that this server has acknowledged are missing in its log. */
export const hasLost = ({ log, lostIndex }: State): boolean => log.lastIndex < lostIndex

export const isVoter = (state: State, id: NodeId): boolean => state.members.voters.includes(id)

export const peersOf = (state: State): readonly NodeId[] =>
  state.members.voters.filter((id) => id !== state.config.id)
