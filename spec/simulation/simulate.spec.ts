import {
  concatMap,
  delay,
  filter,
  from,
  map,
  merge,
  of,
  Subscription,
  timer,
  type Observable,
  type SchedulerAction,
} from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { Append } from '../../lib/messages.ts'
import type { Saved } from '../../lib/storage.ts'
import type { Storage } from '../../operators/adapters.ts'
import { chaosSchedule, survivable } from '../../testing/simulation/chaos.ts'
import type { Fault, FaultEvent } from '../../testing/simulation/faults.ts'
import { shrink } from '../../testing/simulation/shrink.ts'
import { simulate, type Report } from '../../testing/simulation/simulate.ts'
import type { StoreOptions } from '../../testing/simulation/store.ts'

const small = { nodes: 3, seed: 2, duration: 5_000 } as const

const checkersOf = ({ violations }: Report): string[] => violations.map(({ checker }) => checker)

describe('a simulation', () => {
  it('is its seed: the same again, byte for byte', () => {
    const one = simulate({ ...small, trace: true })
    const other = simulate({ ...small, trace: true })
    expect(one.trace!.length).toBeGreaterThan(1000)
    expect(other).toEqual(one)
    expect(simulate(small).hash).toBe(one.hash)
    expect(simulate({ ...small, seed: 4 }).hash).not.toBe(one.hash)
  })

  it.each(Array.from({ length: 20 }, (_, i) => i + 1))('seed %i passes', (seed) => {
    const report = simulate({ nodes: 5, seed, duration: 10_000 })
    expect(report.violations).toEqual([])
    expect(report.elections).toBeGreaterThan(0)
    expect(report.commits).toBeGreaterThan(0)
  })

  it.each([1, 2, 4, 9])('%i servers pass', (nodes) => {
    expect(simulate({ ...small, nodes }).violations).toEqual([])
  })

  it('takes snapshots and installs them, from many in each run to hardly any', () => {
    const runs = Array.from({ length: 12 }, (_, i) => simulate({ ...small, seed: 112 + i }))
    const taken = runs.map(({ snapshots }) => snapshots.taken).sort((a, b) => a - b)
    expect(taken[0]).toBeLessThan(12)
    expect(taken.at(-1)).toBeGreaterThan(100)
    expect(runs.some(({ snapshots }) => snapshots.installed > 0)).toBe(true)
  })

  it('changes members and leaders, as often as it is told to', () => {
    const often = { changes: 300, transfers: 300 }
    const runs = Array.from({ length: 5 }, (_, i) =>
      simulate({ ...small, seed: 200 + i, administration: often, trace: true }),
    )
    expect(runs.flatMap(({ violations }) => violations)).toEqual([])
    const told = runs.flatMap(({ trace }) => trace!.filter((line) => line.includes(' somebody ')))
    const heard = told.map((line) => line.split(' ').slice(2).join(' '))
    expect(heard.filter((line) => /^hears of .*: done$/.test(line)).length).toBeGreaterThan(10)
    expect(heard.filter((line) => /^hears of .*"expected".*: conflict$/.test(line))).not.toEqual([])
    expect(heard.filter((line) => /^hears from .: [a-z]$/.test(line)).length).toBeGreaterThan(10)
    expect(told.length).toBeGreaterThan(100)
    const never = { changes: Infinity, transfers: Infinity }
    const still = simulate({ ...small, duration: 0, administration: never, spares: 0, trace: true })
    expect(still.violations).toEqual([])
  })

  it('refuses what cannot be', () => {
    expect(() => simulate({ ...small, nodes: 10 })).toThrow('nodes is 10')
    expect(() => simulate({ ...small, seed: 0.5 })).toThrow('seed is 0.5')
    expect(() => simulate({ ...small, duration: -1 })).toThrow('duration is -1')
    expect(() => simulate({ ...small, witnesses: 2 })).toThrow('witnesses is 2')
  })
})

describe('faults', () => {
  it.each([...survivable, 'wipeDisk' as const])('%s is injected, and bites', (kind) => {
    const quiet = simulate({ ...small, nodes: 5, faults: [] })
    const isRare = (['flipBit', 'flipSnapshot', 'wipeDisk'] as string[]).includes(kind)
    // Somebody must be away for a while to be sent a snapshot.
    const kinds = kind === 'garbleChunk' ? ([kind, 'pause'] as const) : [kind]
    const faults = { kinds, every: isRare ? 10 : 100 }
    const seed = kind === 'garbleChunk' ? 4 : small.seed
    const report = simulate({ ...small, seed, nodes: 5, faults, checkers: [] })
    // Whoever has lost its disk finds out, and stops.
    const isMeant = (message: string): boolean =>
      kind === 'wipeDisk' && message.endsWith(' does not run')
    expect(report.violations.filter(({ message }) => !isMeant(message))).toEqual([])
    expect(report.faults[kind]).toBeGreaterThan(0)
    expect(report.schedule.some(({ type }) => type === kind)).toBe(true)
    expect(report.hash).not.toBe(quiet.hash)
  })

  it('never break so many disks that no quorum is left', () => {
    const faults = { kinds: ['flipBit'] as const, every: 1 }
    const report = simulate({ ...small, nodes: 5, faults })
    expect(report.faults['flipBit']).toBe(2)
    expect(report.violations).toEqual([])
  })

  it('of a schedule can be replayed', () => {
    const first = simulate({ ...small, seed: 3 })
    expect(first.schedule.length).toBeGreaterThan(3)
    const again = simulate({ ...small, seed: 3, faults: first.schedule })
    expect(again).toEqual(first)
  })

  it('are streams, alone or merged', () => {
    const outage = (id: string): Observable<Fault> =>
      from<Fault[]>([
        { type: 'crash', id },
        { type: 'restart', id },
      ])
    const report = simulate({
      ...small,
      faults: (scheduler) =>
        merge(
          timer(1_000, scheduler).pipe(map((): Fault => ({ type: 'pause', id: 'b' }))),
          outage('a').pipe(concatMap((fault) => of(fault).pipe(delay(700, scheduler)))),
        ),
    })
    expect(report.schedule).toEqual([
      { at: 700, type: 'crash', id: 'a' },
      { at: 1000, type: 'pause', id: 'b' },
      { at: 1400, type: 'restart', id: 'a' },
    ])
    expect(report.faults).toEqual({ crash: 1, pause: 1, restart: 1 })
    expect(report.violations).toEqual([])
  })

  it('that strike a paused server are over when it is resumed: its disk has failed, and it starts again', () => {
    const report = simulate({
      ...small,
      // The sync that fails is to be that of a save, not that of a snapshot, which may go on meanwhile.
      configure: (options) => ({ ...options, snapshotEntries: 1e9, snapshotBytes: 1e9 }),
      faults: [
        { at: 4_000, type: 'failFsync', id: 'a', keep: 0 },
        { at: 4_000, type: 'stallDisk', id: 'a' },
        { at: 4_980, type: 'pause', id: 'a' },
        { at: 4_981, type: 'unstallDisk', id: 'a' },
      ],
    })
    expect(report.faults).toMatchObject({ failFsync: 1, pause: 1 })
    expect(report.violations).toEqual([])
  })

  it('hit whoever leads when they are aimed, and end where they began', () => {
    const aim = { as: 'b', number: 0 }
    const groups = [['a'], ['b', 'c']]
    const { schedule, trace, violations } = simulate({
      ...small,
      trace: true,
      administration: { changes: Infinity, transfers: Infinity },
      faults: [
        { at: 1_000, type: 'crash', id: 'b', aim },
        { at: 1_700, type: 'restart', id: 'b', aim },
        { at: 1_800, type: 'partition', groups, aim: { as: 'a', number: 1 } },
      ],
    })
    const leaders = trace!.flatMap((line) => {
      const [at, who, what] = line.split(' ')
      return what === 'leader' ? [{ at: Number(at) / 1000, id: who!.split('@')[0] }] : []
    })
    const leaderAt = (at: number) => leaders.filter((leader) => leader.at < at).at(-1)!.id
    const [crash, restart, partition] = schedule
    expect(crash).toEqual({ at: 1_000, type: 'crash', id: leaderAt(1_000) })
    expect(restart).toEqual({ at: 1_700, type: 'restart', id: leaderAt(1_000) })
    expect(leaderAt(1_800)).not.toBe(leaderAt(1_000))
    expect(partition).toMatchObject({ groups: [[leaderAt(1_800)], { length: 2 }] })
    expect(violations).toEqual([])
  })

  it('come as a blackout where all that it takes is allowed', () => {
    const options = { ids: ['a', 'b', 'c', 'd', 'e'], duration: 10_000, blackouts: 1, every: 3_000 }
    const schedule = chaosSchedule(7, options)
    const kindsOf = (events: readonly FaultEvent[]) => new Set(events.map(({ type }) => type))
    expect(kindsOf(schedule)).toEqual(
      new Set(['echo', 'stallDisk', 'loseWrites', 'crash', 'unstallDisk', 'restart']),
    )
    expect(schedule.every(({ type, aim }) => (aim === undefined) === (type === 'echo'))).toBe(true)
    const without = chaosSchedule(7, { ...options, kinds: ['crash', 'echo'] })
    expect(kindsOf(without)).not.toContain('stallDisk')
  })

  it('are drawn from the seed, in the order of time, until the end', () => {
    const options = { ids: ['a', 'b', 'c'], duration: 10_000 }
    const schedule = chaosSchedule(7, options)
    expect(chaosSchedule(7, options)).toEqual(schedule)
    expect(chaosSchedule(8, options)).not.toEqual(schedule)
    const times = schedule.map(({ at }) => at)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(times.every((at) => at < 10_000)).toBe(true)
  })
})

/** A defect: it acknowledges a save before it is durable. */
const hasty =
  (storage: Storage): Storage =>
  (requests) => {
    const early$ = from(requests).pipe(
      filter((request) => request.type === 'save'),
      map(({ sequence, term }): Saved => ({ type: 'saved', sequence, term })),
    )
    const honest$ = storage(requests)
    return merge(honest$.pipe(concatMap((fact) => (fact.type === 'saved' ? [] : [fact]))), early$)
  }

const withHastyDisk = (options: StoreOptions): StoreOptions => ({
  ...options,
  storage: hasty(options.storage!),
})

describe('a defect', () => {
  it('of a disk that acknowledges too early is caught, and its schedule shrinks', () => {
    const faults = { kinds: ['loseWrites', 'slowDisk'] as const, every: 150 }
    const broken = { ...small, configure: withHastyDisk }
    const failing = Array.from({ length: 40 }, (_, seed) => ({ ...broken, seed, faults })).find(
      (simulation) => simulate(simulation).violations.length > 0,
    )
    expect(failing).toBeDefined()
    const report = simulate(failing!)
    const fails = (schedule: readonly FaultEvent[]): boolean =>
      checkersOf(simulate({ ...failing!, faults: schedule })).includes(checkersOf(report)[0]!)
    const smallest = shrink(report.schedule, fails)
    expect(fails(smallest)).toBe(true)
    expect(smallest.length).toBeLessThan(report.schedule.length / 2)
    const honest = simulate({ ...small, seed: failing!.seed, faults: report.schedule })
    expect(honest.violations).toEqual([])
  })

  it('of liveness is caught: a cluster that cannot heal', () => {
    const mute = (options: StoreOptions): StoreOptions => ({
      ...options,
      transport: (outbound) =>
        options.transport!(outbound.pipe(concatMap((e) => (e.message.type === 'vote' ? [] : [e])))),
    })
    const report = simulate({ ...small, faults: [], configure: mute })
    expect(checkersOf(report)).toContain('liveness')
    expect(report.violations.map(({ message }) => message).join()).toContain('nobody is a member')
  })

  it('of determinism is caught: a state machine that does something else on one server', () => {
    const differing = (options: StoreOptions): StoreOptions => ({
      ...options,
      fingerprintEntries: 5,
      machine: {
        ...options.machine,
        apply: (contents, command, context) =>
          options.machine.apply(
            contents,
            options.id === 'b' && context.index === 12 ? { ...command, value: 'other' } : command,
            context,
          ),
      },
    })
    const calm = { ...small, faults: [], checkers: [], witnesses: 0 }
    const { violations } = simulate({ ...calm, configure: differing })
    expect(violations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^. stopped by itself: Diverged/),
    ])
  })

  it('of deadlines is caught: answers that take as long as they take', () => {
    const patient = (options: StoreOptions): StoreOptions => ({
      ...options,
      scheduler: {
        now: () => options.scheduler!.now(),
        schedule: <T>(work: (this: SchedulerAction<T>, state: T) => void, delay = 0, state?: T) =>
          delay === 1_000
            ? new Subscription()
            : options.scheduler!.schedule(work, delay, state as T),
      },
    })
    const groups = [['a'], ['b'], ['c']]
    const faults: FaultEvent[] = [{ at: 1_000, type: 'partition', groups }]
    expect(simulate({ ...small, faults }).violations).toEqual([])
    expect(checkersOf(simulate({ ...small, faults, configure: patient }))).toContain('deadlines')
  })

  it('of a new leader is caught: one that commits nothing until somebody writes', () => {
    const lazy = (options: StoreOptions): StoreOptions => ({
      ...options,
      transport: (outbound) =>
        options.transport!(
          outbound.pipe(filter(({ message }) => message.type !== 'append' || hasCommands(message))),
        ),
    })
    const hasCommands = ({ batches }: Append): boolean =>
      batches.length === 0 || batches.some(({ kind }) => kind === 'request')
    const report = simulate({ ...small, nodes: 2, faults: [], configure: lazy })
    expect(checkersOf(report)).toContain('liveness')
  })

  it('of an engine that stops by itself is caught', () => {
    const broken = (options: StoreOptions): StoreOptions => ({
      ...options,
      transport: (outbound) =>
        options.transport!(
          outbound.pipe(
            map((envelope, i) => {
              if (i === 50) throw new Error('a bug')
              return envelope
            }),
          ),
        ),
    })
    const report = simulate({ ...small, faults: [], configure: broken })
    expect(report.violations[0]).toMatchObject({ checker: 'engine' })
    expect(report.violations[0]!.message).toContain('a bug')
  })
})

describe('an exception that nobody catches', () => {
  it('is a violation: in production the process would be gone', () => {
    const broken = (options: StoreOptions): StoreOptions => ({
      ...options,
      turns: {
        now: () => 0,
        schedule: () =>
          options.turns!.schedule(() => {
            throw new Error('a bug')
          }),
      },
    })
    const report = simulate({ ...small, faults: [], configure: broken })
    expect(report.violations).toMatchObject([{ checker: 'engine', message: 'threw Error: a bug' }])
  })
})

describe('shrinking', () => {
  const events = Array.from({ length: 40 }, (_, at): FaultEvent => ({ at, type: 'heal' }))
  const has = (part: readonly FaultEvent[], ...times: number[]): boolean =>
    times.every((time) => part.some(({ at }) => at === time))

  it('leaves what is needed, in its order', () => {
    expect(shrink(events, (part) => has(part, 3, 17, 31))).toEqual([
      events[3],
      events[17],
      events[31],
    ])
    expect(shrink(events, (part) => has(part, 39))).toEqual([events[39]])
    expect(shrink(events, () => true)).toEqual([])
    expect(shrink(events, () => false)).toEqual(events)
  })

  it('asks no more often than it may', () => {
    let asked = 0
    shrink(events, (part) => ++asked > 0 && has(part, 3, 17, 31), 10)
    expect(asked).toBe(10)
  })
})
