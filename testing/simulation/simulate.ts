import { from, type Observable, type ObservableInput, type SchedulerLike } from 'rxjs'
import { ConfigError } from '../../lib/errors.ts'
import type { Millis, NodeId } from '../../lib/types.ts'
import { checkers } from '../checkers/index.ts'
import type { MakeChecker } from '../checkers/observation.ts'
import { Administrators, type Administration } from './administration.ts'
import { Chance } from './chance.ts'
import { chaosSchedule, scheduled, type ChaosOptions } from './chaos.ts'
import type { Fault, FaultEvent } from './faults.ts'
import { heal } from './healing.ts'
import { Injector } from './injector.ts'
import { Journal, messageOf, type Violation } from './journal.ts'
import { Promises } from './promises.ts'
import { Roster } from './roster.ts'
import type { StoreOptions } from './store.ts'
import { leaseTaste, tasteOf, timely } from './taste.ts'
import { Clients, type Workload } from './workload.ts'
import { drawWitnesses } from './witnesses.ts'
import { World, type WorldOptions } from './world.ts'

/**
 * Which faults there are: drawn from the seed; or a schedule, as a {@link Report} has it; or a stream, which is
 * subscribed to when the simulation begins and takes its time from the scheduler.
 */
export type Faults =
  | Omit<ChaosOptions, 'ids' | 'duration'>
  | readonly FaultEvent[]
  | ((scheduler: SchedulerLike) => ObservableInput<Fault>)

/** What to simulate. */
export interface Simulation {
  /** With how many servers the cluster begins: 1 to 9, named a, b, c and so on. */
  readonly nodes: number
  /** Determines all chance: the same seed makes the same run, byte for byte. */
  readonly seed: number
  /** Virtual ms of chaos; afterwards all faults are over, and the cluster must heal. */
  readonly duration: Millis
  /** Default: drawn from the seed, of every kind that a cluster must survive. */
  readonly faults?: Faults
  /** Default: five clients, five operations a second each. */
  readonly workload?: Workload
  /** Default: members come and go and the leadership is handed over, as often as the seed likes it. */
  readonly administration?: Administration
  /** How many servers wait to be taken in. Default 4; without `administration.changes` they wait in vain. */
  readonly spares?: number
  /** How many of the founders are witnesses, at most half. Default: drawn, none in most runs. */
  readonly witnesses?: number
  /** Whether the report has the trace, besides its hash. Default false. */
  readonly trace?: boolean
  /** Who watches. Default: every checker there is. */
  readonly checkers?: readonly MakeChecker[]
  /** Changes what each life of each server is made from: other timeouts, an adapter around another. */
  readonly configure?: (options: StoreOptions) => StoreOptions
}

/** What came of a simulation. */
export interface Report {
  readonly seed: number
  /** Rules that were broken; the run ends with the first. Empty: passed. */
  readonly violations: readonly Violation[]
  /** Of the whole trace: equal for equal runs. */
  readonly hash: string
  /** How much virtual time passed, healing included. */
  readonly virtualMs: Millis
  /** How often a server began to lead. */
  readonly elections: number
  /** The last index that was committed. */
  readonly commits: number
  /** How many snapshots became whole on a disk: a server's own, and another server's. */
  readonly snapshots: { readonly taken: number; readonly installed: number }
  /** How many operations clients have begun. */
  readonly operations: number
  /**
   * How often a fault of each kind really struck: messages for `lose`, `duplicate`, `reorder` and `delay`,
   * writes for `failFsync`, `fillDisk` and `garbleChunk`, occasions for the others.
   */
  readonly faults: Readonly<Record<string, number>>
  /** What was injected and when: the same simulation with it as `faults` makes the same run. */
  readonly schedule: readonly FaultEvent[]
  /** One line for everything that happened, each with its time in virtual µs, if it was asked for. */
  readonly trace?: readonly string[]
}

/** A simulation is looked at so often, in virtual ms, whether a rule was broken. */
const GLANCE = 100

/** Servers that keep each other busy for nothing are a defect, too: a run of 30 s has 30,000 to 80,000 events. */
const [EVENTS, EVENTS_PER_MS] = [400_000, 20]

/**
 * Runs a cluster of the real engine in virtual time, under faults and clients, watched by every checker, and
 * then lets it heal. Synchronous; nothing but the options has any influence.
 *
 * ```ts
 * const { violations, hash } = simulate({ nodes: 5, seed: 42, duration: 30_000 })
 * ```
 *
 * Throws `ConfigError` for an option that cannot be.
 */
export function simulate(simulation: Simulation): Report {
  check(simulation)
  const { nodes, seed, duration, workload = {}, administration = {}, trace = false } = simulation
  const founders = NAMES.slice(0, nodes)
  const spares = NAMES.slice(nodes, nodes + (simulation.spares ?? SPARES))
  const { configure = (options) => options } = simulation
  const roster = new Roster()
  const watching = simulation.checkers ?? checkers
  const journal = new Journal(() => world.clock.now(), roster, watching, trace)
  const given = { founders, spares, seed, configure, ...drawn(simulation, founders, spares) }
  const world: World = new World(given, roster, journal)
  const injector = new Injector(world, journal)
  const promises = new Promises((message) => journal.violate('deadlines', message))
  const clients = new Clients(world, journal, promises, duration, workload)
  const administrators = new Administrators(world, journal, promises, duration, administration)
  const injecting = faults$(simulation, [...founders, ...spares], world.clock).subscribe((fault) =>
    injector.inject(fault),
  )
  const live = (): void => {
    world.clock.limit(EVENTS + EVENTS_PER_MS * duration)
    for (const id of founders) world.server(id)!.start()
    while (world.clock.now() < duration && journal.violations.length === 0) {
      world.clock.runUntil(Math.min(world.clock.now() + GLANCE, duration))
    }
    injecting.unsubscribe()
    if (journal.violations.length > 0) return
    injector.heal()
    journal.healed()
    const missing = heal({ world, journal, clients, promises, administrators })
    for (const what of missing) journal.violate('liveness', what)
  }
  try {
    live()
  } catch (error) {
    // In production the process would be gone.
    journal.violate('engine', `threw ${messageOf(error)}`)
  }
  journal.ended()
  return report(simulation, world, journal)
}

function report({ seed }: Simulation, { clock, servers }: World, journal: Journal): Report {
  const { violations, tape, elections, commits, operations, schedule } = journal
  return {
    seed,
    violations,
    hash: tape.hash,
    virtualMs: clock.now(),
    elections,
    commits,
    snapshots: {
      taken: sum(servers.map(({ disk }) => disk.snapshots.taken)),
      installed: sum(servers.map(({ disk }) => disk.snapshots.installed)),
    },
    operations,
    faults: Object.fromEntries([...journal.faults].sort(([a], [b]) => (a < b ? -1 : 1))),
    schedule,
    ...(tape.lines === undefined ? {} : { trace: tape.lines }),
  }
}

/** What the seed likes. */
const drawn = (
  simulation: Simulation,
  founders: readonly NodeId[],
  spares: readonly NodeId[],
): Pick<WorldOptions, 'taste' | 'priorities' | 'witnesses'> => ({
  taste: tasteOf(simulation.seed, driftIn(simulation)),
  priorities: rank(new Chance(simulation.seed, 'priorities'), founders),
  witnesses: drawWitnesses(simulation.seed, founders, spares, simulation.witnesses),
})

/** In every other run some of the servers are to lead rather than others. */
const rank = (chance: Chance, ids: readonly NodeId[]): Readonly<Record<NodeId, number>> =>
  chance.is(0.5) ? {} : Object.fromEntries(ids.map((id) => [id, chance.whole(0, 2)]))

const sum = (numbers: readonly number[]): number => numbers.reduce((all, it) => all + it, 0)

function faults$(
  { seed, duration, faults = {} }: Simulation,
  ids: readonly NodeId[],
  clock: SchedulerLike,
): Observable<Fault> {
  if (typeof faults === 'function') return from(faults(clock))
  if (isSchedule(faults)) return scheduled(faults, clock)
  const drift = leaseTaste(seed, faults)
  const bounds = drift === undefined ? {} : timely(drift)
  return scheduled(chaosSchedule(seed, { ...bounds, ...faults, ids, duration }), clock)
}

/** By how much clocks differ in a run with leases. */
const driftIn = ({ seed, faults = {} }: Simulation): number | undefined =>
  leaseTaste(seed, typeof faults === 'function' ? undefined : faults)

const isSchedule = (faults: Faults): faults is readonly FaultEvent[] => Array.isArray(faults)

function check({ nodes, seed, duration, witnesses = 0 }: Simulation): void {
  const demand = (option: string, value: unknown, holds: boolean, expected: string): void => {
    if (!holds) throw new ConfigError(option, value, expected)
  }
  demand(
    'nodes',
    nodes,
    Number.isInteger(nodes) && nodes >= 1 && nodes <= 9,
    'a whole number from 1 to 9',
  )
  demand('seed', seed, Number.isSafeInteger(seed), 'a whole number')
  const half = Math.floor(nodes / 2)
  const isFew = Number.isInteger(witnesses) && witnesses >= 0 && witnesses <= half
  demand('witnesses', witnesses, isFew, `at most half of the nodes: 0 to ${half}`)
  demand('duration', duration, duration >= 0 && duration < Infinity, 'ms, 0 or more')
}

const NAMES: readonly NodeId[] = [...'abcdefghijklmnopqrstuvwxyz']

/** Servers that may be taken in. */
const SPARES = 4
