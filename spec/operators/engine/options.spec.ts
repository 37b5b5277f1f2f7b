import { foundingMembers } from '../../../lib/members.ts'
import { NEVER } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../lib/errors.ts'
import type { Storage, Transport } from '../../../operators/adapters.ts'
import { settings } from '../../../operators/engine/options.ts'
import { raft } from '../../../operators/engine/raft.ts'

const machine = { initial: 0, apply: (n: number, by: number) => [n + by, n + by] as const }
const storage: Storage = () => NEVER
const transport: Transport = () => NEVER
const alone = { id: 'a', machine }
const three = { ...alone, members: ['c', 'a', 'b'], storage, transport }

/** The error that options make, which must be a `ConfigError`. */
function refusal(options: object): ConfigError {
  try {
    raft({ ...alone, ...options })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('options', () => {
  it('are an id and a machine: a cluster of one in memory', () => {
    const { protocol, ...rest } = settings(alone)
    expect(protocol).toEqual({
      id: 'a',
      members: foundingMembers(['a']),
      ...{
        electionTimeoutMin: 150,
        electionTimeoutMax: 300,
        isTuned: false,
        preVote: true,
        checkQuorum: true,
      },
      ...{ diskStall: 3_000, lease: 0 },
      forward: false,
      ...{ maxAppendBytes: 2 ** 20, maxInflightMessages: 256 },
      ...{ maxInflightBytes: 2 ** 24, maxUncommittedBytes: 2 ** 26 },
      ...{ snapshotEntries: 1_000_000, snapshotBytes: 2 ** 26, snapshotTailBytes: 2 ** 24 },
    })
    expect(rest).toMatchObject({ heartbeat: 50, proposeTimeout: 5000, queryTimeout: 5000 })
  })

  it('sort the members, so that every server names them alike', () => {
    expect(settings(three).protocol.members.voters).toEqual(['a', 'b', 'c'])
  })

  it('may give founders priorities, which are part of the configuration', () => {
    const { priorities } = settings({ ...three, priorities: { c: 2, a: 0 } }).protocol.members
    expect(priorities).toEqual({ c: 2 })
  })

  it('with tuned timeouts go by the shortest that any server may use, leases too', () => {
    const { protocol } = settings({
      ...alone,
      ...{ tuned: { atLeast: 110 }, leaseReads: true, maxClockDrift: 0.1 },
    })
    expect(protocol).toMatchObject({
      ...{ electionTimeoutMin: 110, electionTimeoutMax: 300, isTuned: true },
    })
    expect(protocol.lease).toBeCloseTo(100)
  })

  it('that are undefined are not given', () => {
    expect(settings({ ...alone, heartbeat: undefined } as never)).toMatchObject({ heartbeat: 50 })
  })

  it('may never time out', () => {
    expect(settings({ ...alone, proposeTimeout: Infinity }).proposeTimeout).toBe(Infinity)
  })

  it('wait for a disk ten times as long as for a leader, at most an hour, or for ever', () => {
    const stall = (options: object) => settings({ ...alone, ...options }).protocol.diskStall
    expect(stall({ electionTimeout: [200, 500] })).toBe(5_000)
    expect(stall({ electionTimeout: [200, 500_000] })).toBe(3_600_000)
    expect(stall({ diskStall: Infinity })).toBe(Infinity)
  })

  it('keep a command within a message, also when only the message is given', () => {
    expect(settings({ ...alone, maxAppendBytes: 2048 }).maxCommandBytes).toBe(2048)
  })

  it('tell what is wrong, where, and what would be right', () => {
    expect(refusal({ heartbeat: 0 })).toMatchObject({
      ...{ name: 'ConfigError', code: 'config', option: 'heartbeat', value: 0 },
      message: 'heartbeat is 0: it should be from 1 to 60,000 ms',
      ...{ retryable: false, outcome: 'none' },
    })
  })
})

/** Each bad option, and the option that is to be blamed. */
const bad: readonly (readonly [option: string, options: object])[] = [
  ['id', { id: '' }],
  ['id', { id: 7 }],
  ['id', { id: undefined }],
  ['machine', { machine: undefined }],
  ['machine', { machine: { initial: 0 } }],
  ['machine', { machine: null }],
  ['codec', { codec: {} }],
  ['codec', { codec: { encode: () => new Uint8Array() } }],
  ['storage', { storage: './data' }],
  ['storage', { storage: null }],
  ['transport', { transport: {} }],
  ['random', { random: 0.5 }],
  ['transport', { members: [], storage }],
  ['leaseReads', { leaseReads: true, checkQuorum: false }],
  ['maxClockDrift', { maxClockDrift: 2 }],
  ['addresses', { addresses: { a: 7 } }],
  ['priorities', { priorities: { a: 101 } }],
  ['priorities', { priorities: { a: 0.5 } }],
  ['priorities', { priorities: { b: 1 } }],
  ['priorities', { priorities: null }],
  ['storage', { members: [], transport }],
  ['members', { members: ['b', 'c'], storage, transport }],
  ['members', { members: 'abc', storage, transport }],
  ['members', { members: ['a', 'b', 'b'], storage, transport }],
  ['witnesses', { ...three, witnesses: ['d'] }],
  ['witnesses', { ...three, witnesses: ['a', 'b'] }],
  ['witnesses', { ...three, witnesses: ['b', 'b'] }],
  ['witnesses', { ...alone, witnesses: ['a'] }],
  ['transport', { members: ['a', 'b'], storage }],
  ['storage', { members: ['a', 'b'], transport }],
  ['heartbeat', { heartbeat: -1 }],
  ['heartbeat', { heartbeat: NaN }],
  ['heartbeat', { heartbeat: 60_001 }],
  ['heartbeat', { heartbeat: Infinity }],
  ['electionTimeout', { electionTimeout: [99, 300] }],
  ['electionTimeout', { electionTimeout: [300, 150] }],
  ['electionTimeout', { electionTimeout: [150, 150] }],
  ['electionTimeout', { electionTimeout: [150, 600_001] }],
  ['electionTimeout', { electionTimeout: [150] }],
  ['electionTimeout', { electionTimeout: [NaN, 300] }],
  ['tuned', { tuned: true }],
  ['tuned', { tuned: { atLeast: 99 } }],
  ['tuned', { tuned: { atLeast: 151 } }],
  ['tuned', { tuned: {} }],
  ['tuned', { tuned: null }],
  ['diskStall', { diskStall: 299 }],
  ['diskStall', { diskStall: 3_600_001 }],
  ['diskStall', { diskStall: NaN }],
  ['diskStall', { diskStall: '3000' }],
  ['proposeTimeout', { proposeTimeout: 0 }],
  ['proposeTimeout', { proposeTimeout: NaN }],
  ['queryTimeout', { queryTimeout: -5 }],
  ['maxCommandBytes', { maxCommandBytes: 0 }],
  ['maxCommandBytes', { maxCommandBytes: 1.5 }],
  ['maxCommandBytes', { maxCommandBytes: 4096, maxAppendBytes: 2048 }],
  ['maxAppendBytes', { maxAppendBytes: 1023 }],
  ['maxAppendBytes', { maxAppendBytes: 2 ** 26 + 1 }],
  ['maxInflightMessages', { maxInflightMessages: 0 }],
  ['maxInflightMessages', { maxInflightMessages: 65_537 }],
  ['maxInflightBytes', { maxInflightBytes: 1023 }],
  ['maxSessions', { maxSessions: 0 }],
  ['maxSessions', { maxSessions: 1_000_001 }],
  ['maxOpenProposals', { maxOpenProposals: 1.5 }],
  ['sessionEntries', { sessionEntries: Infinity }],
  ['maxUncommittedBytes', { maxUncommittedBytes: '1 MiB' }],
]

describe('a bad option is named', () => {
  it.each(bad)('%s in %o', (option, options) => {
    expect(refusal(options).option).toBe(option)
  })
})

/** Bad options that are taken, or answered with an error of another kind or about another option. */
const missed: readonly (readonly [option: string, options: object])[] = [
  ['scheduler', { scheduler: {} }],
  ['scheduler', { scheduler: null }],
  ['turns', { turns: null }],
  ['members', { members: ['a', 7], storage, transport }],
  ['witnesses', { ...three, witnesses: 'a' }],
  ['members', { members: ['a', ''], storage, transport }],
  ['heartbeat', { heartbeat: '50' }],
  ['heartbeat', { heartbeat: 0.001 }],
  ['electionTimeout', { electionTimeout: 150 }],
  ['electionTimeout', { electionTimeout: null }],
  ['electionTimeout', { electionTimeout: ['150', '300'] }],
  ['proposeTimeout', { proposeTimeout: '5000' }],
  ['preVote', { preVote: 'no' }],
  ['checkQuorum', { checkQuorum: 0 }],
  ['maxAppendBytes', { maxAppendBytes: 0 }],
  ['maxAppendBytes', { maxAppendBytes: NaN }],
  ['machine', { machine: circular() }],
]

function circular(): object {
  const itself: { self?: object } = {}
  itself.self = itself
  return itself
}

describe('a bad option should be named', () => {
  it.each(missed)('%s in %o', (option, options) => {
    expect(refusal(options).option).toBe(option)
  })
})
