import { ConfigError } from '../../lib/errors.ts'
import { HIGHEST_PRIORITY, isPriority } from '../../lib/priorities.ts'
import type { Plan } from '../../lib/types.ts'
import { areTooMany } from '../../lib/witnesses.ts'
import { LONGEST } from './deadlines.ts'
import type { RaftOptions } from './options.ts'

/** The options as somebody without a type checker may give them. */
type Given = { readonly [K in keyof RaftOptions<unknown, unknown, unknown>]?: unknown }

const KIB = 1024
const MIB = 1024 * KIB

/** Whoever waits longer than that for a disk waits for ever. */
export const LONGEST_STALL = 3_600_000

const ranges = {
  maxAppendBytes: [KIB, 64 * MIB],
  maxCommandBytes: [1, 64 * MIB],
  maxInflightMessages: [1, 65_536],
  maxInflightBytes: [KIB, 4096 * MIB],
  maxUncommittedBytes: [KIB, 4096 * MIB],
  maxSessions: [1, 1_000_000],
  maxOpenProposals: [1, 1_000_000],
  maxOpenQueries: [1, 1_000_000],
  sessionEntries: [1, Number.MAX_SAFE_INTEGER],
  fingerprintEntries: [1, Number.MAX_SAFE_INTEGER],
  snapshotEntries: [1, Number.MAX_SAFE_INTEGER],
  snapshotBytes: [1, Number.MAX_SAFE_INTEGER],
  snapshotTailBytes: [0, Number.MAX_SAFE_INTEGER],
} as const

/** Throws `ConfigError` for the first option that cannot be. Defaults are filled in already. */
export function check(options: Given): void {
  checkParts(options)
  checkMembers(options)
  checkWitnesses(options)
  checkAddresses(options)
  checkPriorities(options)
  checkLease(options)
  checkTimes(options)
  checkTuned(options)
  checkStall(options)
  checkSizes(options)
}

/** More than one member needs a network, and disks that keep their promises. */
export function checkAdapters({ members, transport, storage }: Given): void {
  if (!Array.isArray(members) || members.length === 1) return
  const why =
    members.length === 0
      ? 'given, since this server joins others'
      : 'given, since there is more than one member'
  demand('transport', transport, transport !== undefined, why)
  demand('storage', storage, storage !== undefined, `${why} and votes must not be forgotten`)
}

function checkParts(options: Given): void {
  const { id, machine, codec, scheduler, turns } = options
  demand('id', id, isName(id), "a non-empty string, such as 'a'")
  demand('machine', machine, has(machine, 'apply'), 'an object with `initial` and `apply`')
  const isCodec = has(codec, 'encode') && has(codec, 'decode')
  demand('codec', codec, isCodec, 'an object with `encode` and `decode`')
  const isClock = has(scheduler, 'now') && has(scheduler, 'schedule')
  demand('scheduler', scheduler, isClock, 'a scheduler, with `now` and `schedule`')
  demand('turns', turns, has(turns, 'schedule'), 'a scheduler, with `schedule`')
  for (const name of ['storage', 'transport', 'random'] as const) {
    demand(name, options[name], typeof options[name] === 'function', 'a function')
  }
  for (const name of ['preVote', 'checkQuorum', 'leaseReads', 'forward'] as const) {
    demand(name, options[name], typeof options[name] === 'boolean', 'true or false')
  }
}

/** A lease rests on a leader that steps down in time, and on clocks that do. */
function checkLease({ leaseReads, checkQuorum, maxClockDrift }: Given): void {
  const isSafe = leaseReads !== true || checkQuorum === true
  demand('leaseReads', leaseReads, isSafe, 'false, since checkQuorum is')
  const isShare = isNumber(maxClockDrift) && maxClockDrift >= 0 && maxClockDrift <= 1
  demand('maxClockDrift', maxClockDrift, isShare, 'from 0 to 1')
}

function checkMembers({ id, members }: Given): void {
  const names: readonly unknown[] = Array.isArray(members) ? members : []
  demand(
    'members',
    members,
    Array.isArray(members) && names.every(isName),
    'an array of non-empty strings',
  )
  const isMember = names.length === 0 || names.includes(id)
  demand('members', members, isMember, `with this node's id "${String(id)}" among them`)
  demand('members', members, new Set(names).size === names.length, 'without repetition')
}

function checkWitnesses({ members, witnesses }: Given): void {
  const voters = members as readonly unknown[]
  const names: readonly unknown[] = Array.isArray(witnesses) ? witnesses : []
  const areMembers = Array.isArray(witnesses) && names.every((id) => voters.includes(id))
  demand('witnesses', witnesses, areMembers, 'an array of some of the members')
  demand('witnesses', witnesses, new Set(names).size === names.length, 'without repetition')
  const isFew = !areTooMany(voters.length, names.length)
  const half = Math.floor(voters.length / 2)
  demand('witnesses', witnesses, isFew, `at most half of the members: ${half} of ${voters.length}`)
}

function checkAddresses({ addresses }: Given): void {
  const isMap = isMapOf(addresses, (it) => typeof it === 'string')
  demand('addresses', addresses, isMap, 'an object with an address for each server')
}

function checkPriorities({ priorities, members }: Given): void {
  demand('priorities', priorities, isMapOf(priorities, isPriority), PRIORITIES)
  const isKnown = (id: string): boolean => (members as readonly unknown[]).includes(id)
  const areKnown = Object.keys(priorities as object).every(isKnown)
  demand('priorities', priorities, areKnown, 'of members only')
}

const PRIORITIES = `an object with a whole number from 0 to ${HIGHEST_PRIORITY} for each server`

/** Throws `ConfigError` for a change of members that would not be one on the other servers. */
export function checkPlan(plan: { readonly [K in keyof Plan]?: unknown }): void {
  for (const name of ['voters', 'learners', 'witnesses', 'remove'] as const) {
    const ids = plan[name]
    const isList = ids === undefined || (Array.isArray(ids) && ids.every(isName))
    demand(name, ids, isList, 'an array of non-empty strings')
  }
  const { addresses = {}, priorities = {} } = plan
  checkAddresses({ addresses })
  demand('priorities', priorities, isMapOf(priorities, isPriority), PRIORITIES)
}

const isMapOf = (map: unknown, isValue: (value: unknown) => boolean): boolean =>
  typeof map === 'object' && map !== null && Object.values(map).every(isValue)

function checkTimes({ heartbeat, electionTimeout, ...limits }: Given): void {
  const isPulse = isNumber(heartbeat) && heartbeat >= 1 && heartbeat <= 60_000
  demand('heartbeat', heartbeat, isPulse, 'from 1 to 60,000 ms')
  const [min, max] = (Array.isArray(electionTimeout) ? electionTimeout : []) as unknown[]
  const isRange = isNumber(min) && isNumber(max) && max > min && max <= 600_000
  demand(
    'electionTimeout',
    electionTimeout,
    isRange && isNumber(heartbeat) && min >= 2 * heartbeat,
    `[min, max] in ms, min at least twice the heartbeat (${String(heartbeat)}), max more than min`,
  )
  for (const name of ['proposeTimeout', 'queryTimeout'] as const) {
    const limit = limits[name]
    const isLimit = isNumber(limit) && limit > 0 && (limit <= LONGEST || limit === Infinity)
    demand(name, limit, isLimit, `more than 0 and at most ${LONGEST} ms, or Infinity`)
  }
}

function checkTuned({ tuned, electionTimeout, heartbeat }: Given): void {
  const [shortest] = electionTimeout as readonly [number, number]
  const least = (tuned as { readonly atLeast?: unknown } | null | undefined)?.atLeast
  const isBounded = isNumber(least) && least >= 2 * Number(heartbeat) && least <= shortest
  const range = `from ${2 * Number(heartbeat)} (twice the heartbeat) to ${shortest} ms`
  demand('tuned', tuned, tuned === false || isBounded, `false, or { atLeast } ${range}`)
}

/** A disk is to be given up later than a leader. */
function checkStall({ diskStall, electionTimeout }: Given): void {
  const [, longest] = electionTimeout as readonly [number, number]
  const isBounded = isNumber(diskStall) && diskStall <= LONGEST_STALL && diskStall >= longest
  const expected = `from the longest election timeout (${longest}) to ${LONGEST_STALL} ms, or Infinity`
  demand('diskStall', diskStall, isBounded || diskStall === Infinity, expected)
}

function checkSizes(options: Given): void {
  for (const [name, [min, max]] of Object.entries(ranges)) {
    const value = options[name as keyof typeof ranges]
    const isSize = isNumber(value) && Number.isSafeInteger(value) && value >= min && value <= max
    demand(name, value, isSize, `a whole number from ${min} to ${max}`)
  }
  const { maxCommandBytes, maxAppendBytes } = options as Record<keyof typeof ranges, number>
  const fits = maxCommandBytes <= maxAppendBytes
  demand('maxCommandBytes', maxCommandBytes, fits, `at most maxAppendBytes, ${maxAppendBytes}`)
}

function demand(option: string, value: unknown, holds: boolean, expected: string): void {
  if (!holds) throw new ConfigError(option, value, expected)
}

const isName = (value: unknown): value is string => typeof value === 'string' && value.length > 0

const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && !Number.isNaN(value)

const has = (value: unknown, method: string): boolean =>
  typeof (value as Record<string, unknown> | null | undefined)?.[method] === 'function'
