import { asapScheduler, type SchedulerLike } from 'rxjs'
import type { NodeId, ProtocolConfig } from '../../lib/types.ts'
import type { Storage, Transport } from '../adapters.ts'
import { msgpack, type Codec } from '../codec.ts'
import type { Machine } from '../machine.ts'
import { check, checkAdapters } from './checks.ts'
import { monotonic } from './monotonic.ts'
import { silent, volatile } from './nothing.ts'

/** What a node is made of. Only `id` and `machine` are required: alone, it is a cluster of one in memory. */
export interface RaftOptions<S, C, R, Q = never, A = never> {
  /** This server's name, one of `members`. */
  readonly id: NodeId
  /** The application: a pure reducer. */
  readonly machine: Machine<S, C, R, Q, A>
  /** Every server of the cluster, the same on each of them. Default: this one alone. */
  readonly members?: readonly NodeId[]
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
  /** Milliseconds between a leader's pulses. Default 50. */
  readonly heartbeat?: number
  /** Ask for votes without raising the term first, so that a server cut off cannot disrupt. Default true. */
  readonly preVote?: boolean
  /** A leader that hears no quorum for the longest election timeout steps down. Default true. */
  readonly checkQuorum?: boolean
  /** A command's largest size encoded, in bytes, up to `maxAppendBytes`. Default 1 MiB. */
  readonly maxCommandBytes?: number
  /** Entries of one message, in bytes: 1 KiB to 64 MiB. Default 1 MiB. */
  readonly maxAppendBytes?: number
  /** Messages with entries in flight to one follower, 1 to 65,536. Default 256. */
  readonly maxInflightMessages?: number
  /** Bytes of entries in flight to one follower. Default 16 MiB. */
  readonly maxInflightBytes?: number
  /** Bytes waiting to be committed beyond which a leader answers `Overloaded`. Default 64 MiB. */
  readonly maxUncommittedBytes?: number
  /** Milliseconds after which `propose` errors with `Timeout`; `Infinity` for never. Default 5,000. */
  readonly proposeTimeout?: number
  /** Milliseconds after which `query` errors with `Timeout` or `NotLeader`. Default 5,000. */
  readonly queryTimeout?: number
  /** Where chance comes from: numbers from 0 to 1, 1 excluded. Default `Math.random`. */
  readonly random?: () => number
  /** Runs the end of a turn, where what arrived together is reduced together. Default `asapScheduler`. */
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
    ...given,
  }
  check(filled)
  checkAdapters(given)
  return { ...filled, protocol: protocol(filled) }
}

const defaults = {
  storage: volatile,
  transport: silent,
  electionTimeout: [150, 300],
  heartbeat: 50,
  preVote: true,
  checkQuorum: true,
  maxAppendBytes: MIB,
  maxInflightMessages: 256,
  maxInflightBytes: 16 * MIB,
  maxUncommittedBytes: 64 * MIB,
  proposeTimeout: 5_000,
  queryTimeout: 5_000,
  random: Math.random,
  turns: asapScheduler,
  scheduler: monotonic,
} as const

/** What the reducer needs to know. */
function protocol(options: Omit<Engine, 'protocol'>): ProtocolConfig {
  const { id, members, preVote, checkQuorum } = options
  const { maxAppendBytes, maxInflightMessages, maxInflightBytes, maxUncommittedBytes } = options
  const [electionTimeoutMin, electionTimeoutMax] = options.electionTimeout
  return {
    id,
    members: { voters: [...members].sort() },
    electionTimeoutMin,
    electionTimeoutMax,
    preVote,
    checkQuorum,
    maxAppendBytes,
    maxInflightMessages,
    maxInflightBytes,
    maxUncommittedBytes,
  }
}
