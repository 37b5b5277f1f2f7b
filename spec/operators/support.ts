import { config, Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs'
import { TestScheduler, type RunHelpers } from 'rxjs/testing'
import { expect } from 'vitest'
import { pack, type Batch } from '../../lib/batch.ts'
import {
  HEADER_BYTES,
  writeOpening,
  writeRequest,
  type Request,
  type SessionLimits,
} from '../../lib/sessions.ts'
import type { Progress } from '../../lib/progress.ts'
import { booting, type Leader, type State } from '../../lib/state.ts'
import type { Step } from '../../lib/turn.ts'
import type { NodeId, ProtocolConfig } from '../../lib/types.ts'
import { msgpack } from '../../operators/codec.ts'
import { foundingMembers } from '../../lib/members.ts'

/** Draws a picture in virtual time, where one column is one millisecond, and compares. */
export function marbles(picture: (helpers: RunHelpers, scheduler: TestScheduler) => void): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
  scheduler.run((helpers) => picture(helpers, scheduler))
}

/** What subscribers throw while `run` runs, which RxJS reports a turn later. */
export async function uncaughtDuring(run: () => unknown): Promise<unknown[]> {
  const thrown: unknown[] = []
  config.onUnhandledError = (error) => thrown.push(error)
  try {
    await run()
    await new Promise((resolve) => setTimeout(resolve))
    return thrown
  } finally {
    config.onUnhandledError = null
  }
}

export const protocol = (voters: readonly NodeId[] = ['a', 'b', 'c']): ProtocolConfig => ({
  id: 'a',
  members: foundingMembers(voters),
  electionTimeoutMin: 3,
  electionTimeoutMax: 6,
  isTuned: false,
  preVote: true,
  checkQuorum: true,
  diskStall: Infinity,
  lease: 0,
  forward: false,
  maxAppendBytes: 1024,
  maxInflightMessages: 256,
  maxInflightBytes: 1024 * 1024,
  maxUncommittedBytes: 1024 * 1024,
  snapshotEntries: Infinity,
  snapshotBytes: Infinity,
  snapshotTailBytes: 0,
})

/** A server whose disk has spoken. */
export const stateWith = (change: Partial<State> = {}, voters?: readonly NodeId[]): State => ({
  ...booting(protocol(voters)),
  booted: true,
  ...change,
})

/** A step that decides nothing but what is given. */
export const stepWith = (change: Partial<Step> = {}): Step => ({
  at: 0,
  events: [],
  state: stateWith(),
  save: undefined,
  disk: [],
  send: [],
  capture: undefined,
  restore: undefined,
  committed: [],
  applied: [],
  answers: [],
  ...change,
})

/** A leader whose followers were last heard at the given times. */
export const leaderRole = (
  contacts: Readonly<Record<NodeId, number>>,
  change: Partial<Leader> = {},
): Leader => ({
  type: 'leader',
  firstIndex: 1,
  progress: Object.entries(contacts).map(([id, contact]): Progress => ({
    id,
    match: 0,
    held: 0,
    next: 1,
    probing: true,
    inflight: [],
    told: 0,
    contact,
    round: 0,
    sending: undefined,
    timing: undefined,
    trip: undefined,
  })),
  round: 0,
  pulse: 0,
  pulses: [],
  leaseEnd: -Infinity,
  untold: undefined,
  reads: [],
  changing: undefined,
  transfer: undefined,
  favourite: undefined,
  channels: [],
  ...change,
})

const codec = msgpack<unknown>()

/** A batch of encoded commands. */
export const commands = (index: number, term: number, ...values: readonly unknown[]): Batch => ({
  index,
  term,
  kind: 'command',
  count: values.length,
  bytes: pack(values.map((value) => codec.encode(value))),
})

/** A batch of requests: names with their commands, and sessions that are opened. */
export const requests = (
  index: number,
  term: number,
  ...entries: readonly (readonly [request: Request, value: unknown] | SessionLimits)[]
): Batch => ({
  index,
  term,
  kind: 'request',
  count: entries.length,
  bytes: pack(entries.map(payloadOf)),
})

function payloadOf(entry: readonly [Request, unknown] | SessionLimits): Uint8Array {
  const isOpening = 'sessions' in entry
  const command = isOpening ? new Uint8Array(0) : codec.encode(entry[1])
  const bytes = new Uint8Array(HEADER_BYTES + command.length)
  if (isOpening) writeOpening(bytes, 0, entry)
  else writeRequest(bytes, 0, entry[0])
  bytes.set(command, HEADER_BYTES)
  return bytes
}

interface Timer {
  readonly at: number
  readonly work: () => void
}

/** A clock moved by hand, which counts how often it was asked to wake somebody. */
export class HandClock implements SchedulerLike {
  time = 0
  calls = 0
  readonly #timers = new Set<Timer>()

  now(): number {
    return this.time
  }

  schedule<T>(
    work: (this: SchedulerAction<T>, state: T) => void,
    delay = 0,
    state?: T,
  ): Subscription {
    this.calls++
    const run = work as (state: T | undefined) => void
    const timer: Timer = { at: this.time + delay, work: () => run(state) }
    this.#timers.add(timer)
    return new Subscription(() => this.#timers.delete(timer))
  }

  /** Lets every timer up to `time` ring when it is due. */
  run(time: number): void {
    for (let timer = this.#next(time); timer !== undefined; timer = this.#next(time)) {
      this.time = Math.max(this.time, timer.at)
      this.#ring(timer)
    }
    this.time = time
  }

  /** The process sleeps until `time`; timers that were due meanwhile ring only then. */
  stall(time: number): void {
    this.time = time
    const late = [...this.#timers].filter(({ at }) => at <= time).sort((a, b) => a.at - b.at)
    for (const timer of late) if (this.#timers.has(timer)) this.#ring(timer)
  }

  get pending(): number {
    return this.#timers.size
  }

  #next(time: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= time).sort((a, b) => a.at - b.at)[0]
  }

  #ring(timer: Timer): void {
    this.#timers.delete(timer)
    timer.work()
  }
}
