import { NO_FINGERPRINTS, type Fingerprints } from './fingerprint.ts'
import { emptyLog, type Log } from './log.ts'
import { serversOf, votes } from './members.ts'
import type { Envelope } from './messages.ts'
import { NOTHING_PASSED_ON, type Channel, type Forwarding } from './passedOn.ts'
import type { Progress } from './progress.ts'
import { reachedByQuorum } from './quorum.ts'
import type { Favourite } from './preference.ts'
import type {
  Ballot,
  Index,
  Mark,
  Members,
  Millis,
  NodeId,
  Plan,
  ProtocolConfig,
  Term,
} from './types.ts'

/** Everything that a server knows. Immutable: each turn makes a new one. */
export interface State extends Ballot {
  readonly config: ProtocolConfig
  /** The configuration in force: the last one in the log, committed or not (§6). */
  readonly members: Members
  /** The one in force and those that it may yet fall back to, in the order of the log. */
  readonly configurations: readonly Members[]
  /** Whether the disk has spoken. Before that, nothing is believed and nothing is promised. */
  readonly booted: boolean
  readonly role: Role
  readonly log: Log
  /** The last entry known to be committed (§5.3). */
  readonly commitIndex: Index
  /** The last entry that was given to the state machine. */
  readonly handedIndex: Index
  /** The last entry that the state machine has applied. */
  readonly appliedIndex: Index
  /** The newest snapshot that is whole and durable (§7). */
  readonly snapshot: Mark | undefined
  /** This server's own snapshot, while it is taken. */
  readonly taking: Taking | undefined
  /** Who wants to hear of the next snapshot. */
  readonly snapshotTickets: readonly SnapshotTicket[]
  /** The disk refused a snapshot: not before this moment is another one taken. */
  readonly snapshotPause: Millis
  /** The leader's snapshot, while it arrives. */
  readonly receiving: Receiving | undefined
  /** A snapshot that the state machine is taking over. It gets no entries meanwhile. */
  readonly restoring: Restoring | undefined
  /** When the leader was last heard, a vote granted or an election begun: silence counts from here. */
  readonly contact: Millis
  /** When the disk had spoken. What this server promised in an earlier life, it no longer knows. */
  readonly bootedAt: Millis
  /** The disk has no room for new entries. */
  readonly isShortOfSpace: boolean
  /** The number of the last save. */
  readonly sequence: number
  /** Saves that the disk has not acknowledged, oldest first, with the promises that wait for them. */
  readonly saving: readonly Saving[]
  /** What each server's disk was known to hold of what is committed, when this server last led. */
  readonly held: ReadonlyMap<NodeId, Index>
  /** Whether the last record of its log was torn when it started, and is missing. */
  readonly isTorn: boolean
  /** Whether it has entries, or a snapshot, without what was in them: it is a witness, or was one. */
  readonly isHollow: boolean
  /** How the state machine's state compares with the leader's. */
  readonly fingerprints: Fingerprints
  /** Reads of this server's that a quorum has confirmed and that wait for `appliedIndex`. */
  readonly confirmed: readonly ConfirmedRead[]
  /** To whom this server has handed its leadership for the sake of a higher priority, and when. */
  readonly handed: { readonly to: NodeId; readonly at: Millis } | undefined
  /** What this server has passed on to the leader. */
  readonly forwarding: Forwarding
  /** Messages that no server following the protocol sends here, counted since the start. */
  readonly dropped: number
}

export interface Saving {
  readonly sequence: number
  /** When the disk was asked. */
  readonly at: Millis
  readonly term: Term
  readonly promises: readonly Envelope[]
}

/** A snapshot is written piece by piece: the next is asked for when the last one is written. */
export interface Taking {
  /** What it stands for; `undefined` until the first piece has come. */
  readonly mark: Mark | undefined
  /** Bytes that were given to the disk. */
  readonly end: number
  /** The disk has been given all of it, and may have it. */
  readonly isWhole: boolean
}

/** Wants to hear of a snapshot of everything through `index`. */
export interface SnapshotTicket {
  readonly ticket: number
  readonly index: Index
}

export interface Receiving {
  readonly from: NodeId
  /** The leader's term: the pieces of two leaders are not mixed. */
  readonly term: Term
  readonly mark: Mark
  /** Bytes that are written. */
  readonly written: number
  /** Bytes that were given to the disk. */
  readonly end: number
  /** The disk has been given all of it, and may have it. */
  readonly isWhole: boolean
}

export interface Restoring {
  readonly mark: Mark
  /** Bytes that were given to the state machine. */
  readonly end: number
  /** Whether a piece is on its way. */
  readonly isBusy: boolean
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
  /** How long the leader says that a round trip takes. */
  readonly trip?: Millis
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
  /** Every server's progress, this server's own among them. */
  readonly progress: readonly Progress[]
  /** The number of the last pulse. */
  readonly round: number
  /** When the last pulse went out. */
  readonly pulse: Millis
  /** When the pulses went out that no quorum has answered yet, oldest first. */
  readonly pulses: readonly Pulse[]
  /**
   * Until when no other server can have been elected: it may answer reads by itself (thesis §6.4.1). `NaN`, which
   * is never, once somebody was told to campaign.
   */
  readonly leaseEnd: Millis
  /** Since when some follower has not been told of the commit index that it could know. */
  readonly untold: Millis | undefined
  readonly reads: readonly LeaderRead[]
  /** The change of members that was asked of this leader, until it is done. */
  readonly changing: Changing | undefined
  /** To whom it hands its leadership over. Meanwhile it takes in nothing new. */
  readonly transfer: Transfer | undefined
  /** Who is to lead rather than this server, as of the last look. */
  readonly favourite: Favourite | undefined
  /** What followers have passed on in this term. */
  readonly channels: readonly Channel[]
}

export interface Pulse {
  readonly round: number
  readonly at: Millis
}

/** A leadership that is handed over (thesis §3.10). */
export interface Transfer {
  readonly ticket: number
  readonly to: NodeId
  readonly since: Millis
  /** Whether the successor has been told to campaign. */
  readonly isTold: boolean
}

/** A change of members on its way: first the new servers catch up, then the configurations change (§6). */
export interface Changing {
  readonly ticket: number
  readonly plan: Plan
  /** What new voters have to reach in this round, and when the round began (thesis §4.2.1). */
  readonly round: { readonly index: Index; readonly at: Millis; readonly number: number }
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

/** A server before its disk has spoken. */
export const booting = (config: ProtocolConfig): State => ({
  config,
  members: config.members,
  configurations: [config.members],
  booted: false,
  term: 0,
  vote: undefined,
  role: { type: 'follower', leader: undefined, asked: [] },
  log: emptyLog(),
  commitIndex: 0,
  handedIndex: 0,
  appliedIndex: 0,
  snapshot: undefined,
  taking: undefined,
  snapshotTickets: [],
  snapshotPause: -Infinity,
  receiving: undefined,
  restoring: undefined,
  contact: 0,
  bootedAt: 0,
  isShortOfSpace: false,
  sequence: 0,
  saving: [],
  held: new Map(),
  isTorn: false,
  isHollow: false,
  fingerprints: NO_FINGERPRINTS,
  confirmed: [],
  handed: undefined,
  forwarding: NOTHING_PASSED_ON,
  dropped: 0,
})

/** What changes within a term; the ballot has a way of its own (`turn.ts`). */
export type Change = Partial<Omit<State, 'config' | 'term' | 'vote' | 'members'>>

/** The state with a change. Field by field, because this is the hottest line and a spread costs twice. */
export const changed = (state: State, change: Change): State => ({
  config: state.config,
  members: change.configurations?.at(-1) ?? state.members,
  configurations: change.configurations ?? state.configurations,
  booted: change.booted ?? state.booted,
  term: state.term,
  vote: state.vote,
  role: change.role ?? state.role,
  log: change.log ?? state.log,
  commitIndex: change.commitIndex ?? state.commitIndex,
  handedIndex: change.handedIndex ?? state.handedIndex,
  appliedIndex: change.appliedIndex ?? state.appliedIndex,
  snapshot: change.snapshot ?? state.snapshot,
  taking: 'taking' in change ? change.taking : state.taking,
  snapshotTickets: change.snapshotTickets ?? state.snapshotTickets,
  snapshotPause: change.snapshotPause ?? state.snapshotPause,
  receiving: 'receiving' in change ? change.receiving : state.receiving,
  restoring: 'restoring' in change ? change.restoring : state.restoring,
  contact: change.contact ?? state.contact,
  bootedAt: change.bootedAt ?? state.bootedAt,
  isShortOfSpace: change.isShortOfSpace ?? state.isShortOfSpace,
  sequence: change.sequence ?? state.sequence,
  saving: change.saving ?? state.saving,
  held: change.held ?? state.held,
  isTorn: change.isTorn ?? state.isTorn,
  isHollow: change.isHollow ?? state.isHollow,
  fingerprints: change.fingerprints ?? state.fingerprints,
  confirmed: change.confirmed ?? state.confirmed,
  handed: change.handed ?? state.handed,
  forwarding: change.forwarding ?? state.forwarding,
  dropped: change.dropped ?? state.dropped,
})

/** The same for what a leader knows. */
export const changedLeader = (leader: Leader, change: Partial<Leader>): Leader => ({
  type: 'leader',
  firstIndex: leader.firstIndex,
  progress: change.progress ?? leader.progress,
  round: change.round ?? leader.round,
  pulse: change.pulse ?? leader.pulse,
  pulses: change.pulses ?? leader.pulses,
  leaseEnd: change.leaseEnd ?? leader.leaseEnd,
  untold: 'untold' in change ? change.untold : leader.untold,
  reads: change.reads ?? leader.reads,
  changing: 'changing' in change ? change.changing : leader.changing,
  transfer: 'transfer' in change ? change.transfer : leader.transfer,
  favourite: change.favourite ?? leader.favourite,
  channels: change.channels ?? leader.channels,
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

/** Whether the disk has not answered a save for so long that nobody should wait for it. */
export const isStalled = ({ saving, config }: State, at: Millis): boolean =>
  saving.length > 0 && at - saving[0]!.at >= config.diskStall

export const isVoter = (state: State, id: NodeId): boolean => votes(state.members, id)

/** The other servers that vote. */
export const peersOf = ({ members, config }: State): readonly NodeId[] =>
  serversOf({ ...members, learners: [] }).filter((id) => id !== config.id)
