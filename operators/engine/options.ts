import { asapScheduler, type SchedulerLike } from 'rxjs'
import { ConfigError } from '../../lib/errors.ts'
import type { NodeId, ProtocolConfig } from '../../lib/types.ts'
import type { Storage, Transport } from '../adapters.ts'
import { msgpack, type Codec } from '../codec.ts'
import type { Machine } from '../machine.ts'
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
export interface Settings<S, C, R, Q, A> extends Required<
  Omit<RaftOptions<S, C, R, Q, A>, 'members'>
> {
  readonly protocol: ProtocolConfig
}

const MIB = 1024 * 1024

/** Fills in the defaults. Throws `ConfigError` for what cannot be. */
export function settings<S, C, R, Q, A>(
  options: RaftOptions<S, C, R, Q, A>,
): Settings<S, C, R, Q, A> {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as RaftOptions<S, C, R, Q, A>
  const filled = {
    storage: volatile,
    transport: silent,
    codec: msgpack<C>(),
    electionTimeout: [150, 300] as const,
    heartbeat: 50,
    preVote: true,
    checkQuorum: true,
    maxAppendBytes: MIB,
    maxCommandBytes: Math.min(MIB, options.maxAppendBytes ?? MIB),
    maxInflightMessages: 256,
    maxInflightBytes: 16 * MIB,
    maxUncommittedBytes: 64 * MIB,
    proposeTimeout: 5_000,
    queryTimeout: 5_000,
    random: Math.random,
    turns: asapScheduler,
    scheduler: monotonic,
    ...given,
  }
  checkParts(filled)
  checkMembers(given)
  checkTimes(filled)
  checkSizes(filled)
  const [electionTimeoutMin, electionTimeoutMax] = filled.electionTimeout
  const { id, preVote, checkQuorum, maxAppendBytes } = filled
  const { maxInflightMessages, maxInflightBytes, maxUncommittedBytes } = filled
  return {
    ...filled,
    protocol: {
      id,
      members: { voters: [...(options.members ?? [id])].sort() },
      electionTimeoutMin,
      electionTimeoutMax,
      preVote,
      checkQuorum,
      maxAppendBytes,
      maxInflightMessages,
      maxInflightBytes,
      maxUncommittedBytes,
    },
  }
}

/** The options whose types do not matter to the checks. */
interface Parts {
  readonly id: unknown
  readonly machine?: { readonly apply?: unknown } | null
  readonly codec?: { readonly encode?: unknown; readonly decode?: unknown } | null
  readonly members?: readonly unknown[]
  readonly storage?: unknown
  readonly transport?: unknown
  readonly random?: unknown
}

function checkParts({ id, machine, codec, ...functions }: Parts): void {
  if (typeof id !== 'string' || id.length === 0) {
    throw new ConfigError('id', id, "a non-empty string, such as 'a'")
  }
  if (typeof machine?.apply !== 'function') {
    throw new ConfigError(
      'machine',
      machine,
      'an object with `initial` and `apply(state, command)`',
    )
  }
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function') {
    throw new ConfigError('codec', codec, 'an object with `encode` and `decode`')
  }
  for (const name of ['storage', 'transport', 'random'] as const) {
    if (typeof functions[name] !== 'function') {
      throw new ConfigError(name, functions[name], 'a function')
    }
  }
}

function checkMembers({ id, members, storage, transport }: Parts): void {
  if (members === undefined) return
  if (!Array.isArray(members) || !members.includes(id)) {
    throw new ConfigError(
      'members',
      members,
      `an array that contains this node's id "${String(id)}"`,
    )
  }
  if (new Set(members).size < members.length) {
    throw new ConfigError('members', members, 'without repetition')
  }
  if (members.length < 2) return
  if (transport === undefined) {
    throw new ConfigError('transport', transport, 'given, since there is more than one member')
  }
  if (storage === undefined) {
    throw new ConfigError(
      'storage',
      storage,
      'given, since a member that forgets its votes can elect two leaders',
    )
  }
}

interface Times {
  readonly electionTimeout: readonly [min: number, max: number]
  readonly heartbeat: number
  readonly proposeTimeout: number
  readonly queryTimeout: number
}

function checkTimes({ electionTimeout, heartbeat, proposeTimeout, queryTimeout }: Times): void {
  const [min, max] = electionTimeout
  if (!(heartbeat > 0 && heartbeat <= 60_000)) {
    throw new ConfigError('heartbeat', heartbeat, 'between 1 and 60000 ms')
  }
  if (!(min >= 2 * heartbeat && max > min && max <= 600_000)) {
    throw new ConfigError(
      'electionTimeout',
      electionTimeout,
      `[min, max] in ms, with min at least twice the heartbeat (${heartbeat}) and max greater than min`,
    )
  }
  for (const [name, value] of Object.entries({ proposeTimeout, queryTimeout })) {
    if (!(value > 0)) throw new ConfigError(name, value, 'more than 0 ms, or Infinity')
  }
}

function checkSizes(sizes: Readonly<Record<keyof typeof ranges, number>>): void {
  for (const [name, [min, max]] of Object.entries(ranges)) {
    const value = sizes[name as keyof typeof ranges]
    if (!(Number.isSafeInteger(value) && value >= min && value <= max)) {
      throw new ConfigError(name, value, `a whole number from ${min} to ${max}`)
    }
  }
  if (sizes.maxCommandBytes > sizes.maxAppendBytes) {
    const { maxCommandBytes, maxAppendBytes } = sizes
    throw new ConfigError(
      'maxCommandBytes',
      maxCommandBytes,
      `at most maxAppendBytes ${maxAppendBytes}`,
    )
  }
}

const ranges = {
  maxCommandBytes: [1, 64 * MIB],
  maxAppendBytes: [1024, 64 * MIB],
  maxInflightMessages: [1, 65_536],
  maxInflightBytes: [1024, 4096 * MIB],
  maxUncommittedBytes: [1024, 4096 * MIB],
} as const
