import { asapScheduler, type SchedulerLike } from 'rxjs'
import { foundingMembers } from '../../lib/members.ts'
import { withPriorities } from '../../lib/priorities.ts'
import type { SessionLimits } from '../../lib/sessions.ts'
import type { NodeId, ProtocolConfig } from '../../lib/types.ts'
import type { Storage, Transport } from '../adapters.ts'
import { msgpack, type Codec } from '../codec.ts'
import type { Machine } from '../machine.ts'
import { check, checkAdapters, LONGEST_STALL } from './checks.ts'
import { microtasks } from './microtasks.ts'
import { monotonic } from './monotonic.ts'
import { silent, volatile } from './nothing.ts'

/** What a node is made of. Only `id` and `machine` are required: alone, it is a cluster of one in memory. */
export interface RaftOptions<S, C, R, Q = never, A = never> {
  /** This server's name, one of `members`. */
  readonly id: NodeId
  /** The application: a pure reducer. */
  readonly machine: Machine<S, C, R, Q, A>
  /**
   * The servers with which the cluster begins, the same on each of them; later changes are in the log. Empty
   * for a server that joins a cluster: it waits for a leader that takes it in. Default: this one alone.
   */
  readonly members?: readonly NodeId[]
  /**
   * Those of them that are witnesses: they vote and acknowledge, and keep no commands and no state. The same on each
   * of them; every majority needs a server that is none. Default: none.
   */
  readonly witnesses?: readonly NodeId[]
  /** Where those servers are reached, for those that will join; as the transport understands it. Default: none. */
  readonly addresses?: Readonly<Record<NodeId, string>>
  /**
   * Which of those servers are to lead rather than others, the same on each of them: whole numbers from 0 to
   * 100, the higher the rather. Later ones are in the log. Default: 0.
   */
  readonly priorities?: Readonly<Record<NodeId, number>>
  /** Default: none, everything is lost with the process. Not allowed for more than one member. */
  readonly storage?: Storage
  /** Default: none. Required for more than one member. */
  readonly transport?: Transport
  /** Default: MessagePack. The same on every server. */
  readonly codec?: Codec<C>
  /**
   * Silence in ms after which a follower campaigns, drawn anew between the two each time. Default
   * `[150, 300]`, for a LAN. The shortest must be at least twice the heartbeat.
   */
  readonly electionTimeout?: readonly [min: number, max: number]
  /**
   * Election timeouts follow from the round trips that the leader measures: `electionTimeout` is where they begin, and
   * what they never exceed; none is shorter than `atLeast` ms, from twice the heartbeat to the shortest of
   * `electionTimeout`. The same on every server. Default false.
   */
  readonly tuned?: false | { readonly atLeast: number }
  /** Milliseconds between a leader's pulses. Default 50. */
  readonly heartbeat?: number
  /** Ask for votes without raising the term first, so that a server cut off cannot disrupt. Default true. */
  readonly preVote?: boolean
  /** A leader that hears no quorum for the longest election timeout steps down. Default true. */
  readonly checkQuorum?: boolean
  /**
   * Milliseconds without an answer of its disk's after which a leader whose followers commit without it lets one of
   * them lead, and does not campaign before its disk answers. From the longest election timeout to 3,600,000;
   * `Infinity` for never. Default: ten times the longest election timeout.
   */
  readonly diskStall?: number
  /**
   * A leader answers linearizable queries by itself, without asking a quorum, for as long as no other server can
   * have been elected. The clocks of the servers must then run at the same speed, up to `maxClockDrift`: where
   * they do not, it answers with what is old. Needs `checkQuorum`; the same on every server. Default false.
   */
  readonly leaseReads?: boolean
  /**
   * What is proposed to a follower is passed on to its leader, and the result is the follower's own. Every
   * server must know of it: one of an earlier version closes the connection. Default false: `NotLeader`.
   */
  readonly forward?: boolean
  /** How much faster the fastest clock may run than the slowest, as a share: 0 to 1. Default 0.1. */
  readonly maxClockDrift?: number
  /** A command's largest size encoded, in bytes, up to `maxAppendBytes`. Default 1 MiB. */
  readonly maxCommandBytes?: number
  /** Entries of one message, in bytes: 1 KiB to 64 MiB. Default 1 MiB. */
  readonly maxAppendBytes?: number
  /** Messages with entries in flight to one follower, and of one to its leader, 1 to 65,536. Default 256. */
  readonly maxInflightMessages?: number
  /** Bytes of entries in flight to one follower, and of one to its leader. Default 16 MiB. */
  readonly maxInflightBytes?: number
  /**
   * Bytes of proposals waiting to be saved, committed or applied at a leader, or of this server's for an answer of
   * their leader's, beyond which they fail with `Overloaded`; a follower whose machine has so many to apply lets its
   * leader wait. 1 KiB to 4 GiB. Default 64 MiB.
   */
  readonly maxUncommittedBytes?: number
  /** A snapshot is taken when so many entries were applied since the last one, 1 or more. Default 1,000,000. */
  readonly snapshotEntries?: number
  /** A snapshot is taken when so many bytes of entries were applied since the last one. Default 64 MiB. */
  readonly snapshotBytes?: number
  /** Bytes of entries before a snapshot that stay, for followers that are a little behind. Default 16 MiB. */
  readonly snapshotTailBytes?: number
  /**
   * Client sessions that the cluster remembers; the one that was used least recently goes when this server
   * opens another. 1 to 1,000,000. Default 10,000.
   */
  readonly maxSessions?: number
  /**
   * Proposals of this server's whose outcome is not known yet, beyond which `propose` errors with `Overloaded`: so
   * many results are remembered for it. 1 to 1,000,000. Default 65,536.
   */
  readonly maxOpenProposals?: number
  /**
   * Queries of this server's that wait for their answer, beyond which `query` errors with `Overloaded`; 1 to
   * 1,000,000. Default 65,536.
   */
  readonly maxOpenQueries?: number
  /** A session that this server opens ends so many entries after its last use, 1 or more. Default 100,000,000. */
  readonly sessionEntries?: number
  /**
   * Entries between two fingerprints of the state, if the machine gives any: the same on every server, 1 or more.
   * Default 1,024.
   */
  readonly fingerprintEntries?: number
  /** Milliseconds after which `propose` errors with `Timeout`; `Infinity` for never. Default 5,000. */
  readonly proposeTimeout?: number
  /** Milliseconds after which `query` errors with `Timeout` or `NotLeader`. Default 5,000. */
  readonly queryTimeout?: number
  /** Where chance comes from: numbers from 0 to 1, 1 excluded. Default `Math.random`. */
  readonly random?: () => number
  /**
   * Runs the end of a turn, where what arrived together is reduced together. Default: a microtask, or `asapScheduler` where
   * a `scheduler` is given: a test's virtual time runs that, too.
   */
  readonly turns?: SchedulerLike
  /** The clock, in ms, which must never jump. Default: the process's monotonic one. */
  readonly scheduler?: SchedulerLike
}

/** The same with every default filled in, and checked. */
export interface Settings<S, C, R, Q, A> extends Required<RaftOptions<S, C, R, Q, A>> {
  readonly protocol: ProtocolConfig
}

/** What of it the engine needs, which knows nothing of commands and results. */
export type Engine = Omit<Settings<never, never, never, never, never>, 'machine' | 'codec'>

const MIB = 1024 * 1024

/** Fills in the defaults. Throws `ConfigError` for what cannot be. */
export function settings<S, C, R, Q, A>(
  options: RaftOptions<S, C, R, Q, A>,
): Settings<S, C, R, Q, A> {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as RaftOptions<S, C, R, Q, A>
  const filled = {
    ...defaults,
    codec: msgpack<C>(),
    maxCommandBytes: Math.min(MIB, options.maxAppendBytes || MIB),
    members: [options.id],
    diskStall: stallAfter(options.electionTimeout),
    turns: given.scheduler === undefined ? microtasks : asapScheduler,
    ...given,
  }
  check(filled)
  checkAdapters(given)
  return { ...filled, protocol: protocol(filled) }
}

/** Ten times the longest election timeout; what is no range is told later. */
const stallAfter = (range: unknown = defaults.electionTimeout): number =>
  Array.isArray(range) ? Math.min(10 * Number(range[1]), LONGEST_STALL) : LONGEST_STALL

const defaults = {
  storage: volatile,
  transport: silent,
  witnesses: [],
  addresses: {},
  priorities: {},
  electionTimeout: [150, 300],
  tuned: false,
  heartbeat: 50,
  preVote: true,
  checkQuorum: true,
  leaseReads: false,
  forward: false,
  maxClockDrift: 0.1,
  maxAppendBytes: MIB,
  maxInflightMessages: 256,
  maxInflightBytes: 16 * MIB,
  maxUncommittedBytes: 64 * MIB,
  snapshotEntries: 1_000_000,
  snapshotBytes: 64 * MIB,
  snapshotTailBytes: 16 * MIB,
  maxSessions: 10_000,
  maxOpenProposals: 65_536,
  maxOpenQueries: 65_536,
  sessionEntries: 100_000_000,
  fingerprintEntries: 1_024,
  proposeTimeout: 5_000,
  queryTimeout: 5_000,
  random: Math.random,
  scheduler: monotonic,
} as const

/** What the reducer needs to know. */
function protocol(options: Omit<Engine, 'protocol'>): ProtocolConfig {
  const { id, members, witnesses, addresses } = options
  const { preVote, checkQuorum, leaseReads, maxClockDrift } = options
  const { diskStall, maxAppendBytes, maxInflightMessages, maxInflightBytes, maxUncommittedBytes } =
    options
  const { snapshotEntries, snapshotBytes, snapshotTailBytes } = options
  const [shortest, electionTimeoutMax] = options.electionTimeout
  // Whoever may be as impatient as that is loyal for no longer, so no lease may be longer either.
  const electionTimeoutMin = options.tuned === false ? shortest : options.tuned.atLeast
  return {
    id,
    members: withPriorities(foundingMembers(members, addresses, witnesses), options.priorities),
    electionTimeoutMin,
    electionTimeoutMax,
    isTuned: options.tuned !== false,
    preVote,
    checkQuorum,
    diskStall,
    lease: leaseReads ? electionTimeoutMin / (1 + maxClockDrift) : 0,
    forward: options.forward,
    maxAppendBytes,
    maxInflightMessages,
    maxInflightBytes,
    maxUncommittedBytes,
    snapshotEntries,
    snapshotBytes,
    snapshotTailBytes,
  }
}

/** With what this server opens a session: it goes into the log, so that the others do as it says. */
export const sessionLimits = (
  options: Pick<Engine, 'maxSessions' | 'maxOpenProposals' | 'sessionEntries'>,
): SessionLimits => ({
  sessions: options.maxSessions,
  results: options.maxOpenProposals,
  entries: options.sessionEntries,
})
