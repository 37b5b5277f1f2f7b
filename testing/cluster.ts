import {
  asapScheduler,
  combineLatest,
  distinctUntilChanged,
  EMPTY,
  from,
  map,
  NEVER,
  Subject,
  Subscription,
  take,
  tap,
  VirtualTimeScheduler,
  type Observable,
  type ObservableInput,
  type SchedulerLike,
} from 'rxjs'
import { memory } from '../adapters/storage/memory.ts'
import { network, type NetworkOptions } from '../adapters/transport/memory.ts'
import { ConfigError } from '../lib/errors.ts'
import type { NodeId } from '../lib/types.ts'
import type { Storage } from '../operators/adapters.ts'
import { monotonic } from '../operators/engine/monotonic.ts'
import type { RaftNode } from '../operators/engine/node.ts'
import type { RaftOptions } from '../operators/engine/options.ts'
import { raft } from '../operators/engine/raft.ts'
import { report } from '../operators/engine/report.ts'
import { clockOfRun } from './marbles/clock.ts'
import { sized, type SizedOptions } from './marbles/sized.ts'
import { seeded } from './seeded.ts'
import { Server } from './server.ts'

/** What each server has of its own, which the cluster makes. */
type Own = 'id' | 'members' | 'storage' | 'transport' | 'random'

/** What a cluster is made of: a node's options, a memory network's, and the faults of servers. */
export interface ClusterOptions<S, C, R, Q = never, A = never>
  extends Omit<RaftOptions<S, C, R, Q, A>, Own>, Omit<NetworkOptions, 'scheduler'> {
  /** The servers with which it begins. */
  readonly ids: readonly NodeId[]
  /** Servers that are there and belong to nothing, until a change takes them in. Default: none. */
  readonly joining?: readonly NodeId[]
  /** The disk of a server, asked for once: a restarted server finds it again. Default: `memory()`. */
  readonly storage?: (id: NodeId) => Storage
  /** Servers that crash, each when it is emitted. One that is down stays down. */
  readonly crash$?: ObservableInput<NodeId>
  /** Servers that start again on their disk. One that runs is left alone. */
  readonly restart$?: ObservableInput<NodeId>
  /** Determines all chance: the same seed makes the same run in virtual time. Default 1. */
  readonly seed?: number
  /** The chance of one server, in place of `seed`: numbers from 0 to 1, 1 excluded. */
  readonly random?: (id: NodeId) => () => number
  /**
   * The clock, the turns and the network's deliveries. Default: the virtual time of
   * `testScheduler.run()` inside it, elsewhere real time. Links and disks that take their time want the
   * same.
   */
  readonly scheduler?: SchedulerLike
}

/** A server that stopped by itself. */
export interface Failure {
  readonly id: NodeId
  readonly error: unknown
}

/** Servers in one process, from `connect()` to its end. Every stream completes when the cluster stops. */
export interface Cluster<C, R, Q = never, A = never> {
  readonly ids: readonly NodeId[]
  /** The server as it runs now, or as it last ran: a new node after each restart. */
  node(id: NodeId): RaftNode<C, R, Q, A>
  /** What `look` shows of a server in this life and every later one; nothing while it is down. */
  watch<T>(id: NodeId, look: (node: RaftNode<C, R, Q, A>) => ObservableInput<T>): Observable<T>
  /** Who leads, as far as one server knows, replayed; `undefined` while it is down. */
  leader$(id: NodeId): Observable<NodeId | undefined>
  /** The servers that lead, in the order of `ids`, replayed: two only in different terms. */
  readonly leaders$: Observable<readonly NodeId[]>
  /**
   * Servers that stopped by themselves; they are down until they are restarted. Where nobody
   * subscribes, RxJS reports the error as unhandled.
   */
  readonly failures$: Observable<Failure>
  /** Starts every server. All of them stop when it is unsubscribed, or `until$` emits or completes. */
  connect(until$?: ObservableInput<unknown>): Subscription
}

/**
 * A whole cluster on a network and disks in memory. Faults are streams, so that a schedule of faults is
 * a marble string; who leads is a stream too, so that an election is a picture.
 *
 * ```ts
 * const testScheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
 * testScheduler.run(({ hot, expectObservable }) => {
 *   const crash$ = hot('  --------------a--------------------')
 *   const restart$ = hot('---------------------------a-------')
 *   const end$ = hot('    ----------------------------------|')
 *   const leads = '       n-------a-----n---------b---------|'
 *   const leaderOfC = '   n--------a-------------n-b--------|'
 *   const servers = cluster({
 *     ids: ['a', 'b', 'c'],
 *     machine: { initial: 0, apply: (sum: number, by: number) => [sum + by, sum + by] },
 *     electionTimeout: [4, 12],
 *     heartbeat: 2,
 *     random: (id) => () => ({ a: 0, b: 0.3, c: 0.9 })[id]!, // how patient each is
 *     link: () => latency(1, testScheduler),
 *     scheduler: testScheduler,
 *     crash$,
 *     restart$,
 *   })
 *   expectObservable(servers.leaders$).toBe(leads, { n: [], a: ['a'], b: ['b'] })
 *   expectObservable(servers.leader$('c')).toBe(leaderOfC, { n: undefined, a: 'a', b: 'b' })
 *   servers.connect(end$)
 * })
 * ```
 *
 * A crash loses what a server has not saved and what is on its way to it. `run()` goes on until nothing
 * is scheduled, and a cluster always schedules: give `connect` an end.
 *
 * Throws `ConfigError` for an option that cannot be.
 */
export function cluster<S, C, R, Q = never, A = never>(
  options: ClusterOptions<S, C, R, Q, A>,
): Cluster<C, R, Q, A>
/**
 * The same for a number of servers, `a`, `b`, `c` and so on, which in virtual time can be drawn without
 * more ado: they are 1 ms apart, a leader pulses every 3, `a` campaigns after 6 ms of silence, `b` after
 * 8, `c` after 10. Every option can be given all the same; `seed` leaves patience to chance again.
 *
 * ```ts
 * testScheduler.run(({ hot }) => {
 *   const crash$ = hot('            ----------------a--------------------------')
 *   const end$ = hot('              -------------------------------------------|')
 *   const servers = cluster(3, { machine: counter, crash$ })
 *   expectLeader(servers, 'b').toBe('-----------a----------n---b----------------')
 *   servers.connect(end$)
 * })
 * ```
 *
 * Without a machine, commands are their own results.
 *
 * @param size 1 to 26.
 */
export function cluster<S, C, R, Q = never, A = never>(
  size: number,
  options: SizedOptions<S, C, R, Q, A>,
): Cluster<C, R, Q, A>
export function cluster(
  size: number,
  options?: Omit<SizedOptions<unknown, unknown, unknown>, 'machine'>,
): Cluster<unknown, unknown>
export function cluster<S, C, R, Q, A>(
  given: number | ClusterOptions<S, C, R, Q, A>,
  more: Partial<SizedOptions<S, C, R, Q, A>> = {},
): Cluster<C, R, Q, A> {
  const options = typeof given === 'number' ? sized(given, more) : given
  const ids = [...options.ids, ...(options.joining ?? [])]
  if (options.ids.length === 0) throw new ConfigError('ids', ids, 'one name at least')
  const make = makers(options)
  const failed$ = new Subject<Failure>()
  const failed = (id: NodeId) => (error: unknown) => {
    if (failed$.observed) failed$.next({ id, error })
    else report(error)
  }
  const servers = new Map(ids.map((id) => [id, new Server(make(id), failed(id))]))
  const find = (id: NodeId): Server<C, R, Q, A> => {
    known(ids)(id)
    return servers.get(id)!
  }
  let running: Subscription | undefined

  return {
    ids,
    node: (id) => find(id).node,
    watch: (id, look) => find(id).watch(look),
    leader$: (id) => find(id).leader$,
    leaders$: combineLatest(ids.map((id) => find(id).leads$)).pipe(
      map((leading) => ids.filter((_, i) => leading[i])),
      distinctUntilChanged((a, b) => a.join() === b.join()),
    ),
    failures$: failed$.asObservable(),
    connect: (until$ = NEVER) => {
      if (running !== undefined) return running
      running = run([...servers.values()], until$)
      running.add(() => failed$.complete())
      running.add(from(options.crash$ ?? EMPTY).subscribe((id) => find(id).crash()))
      running.add(from(options.restart$ ?? EMPTY).subscribe((id) => find(id).start()))
      return running
    },
  }
}

/** Starts the servers, and stops them when it is unsubscribed or `until$` emits or completes. */
function run(
  servers: readonly Pick<Server<never, never, never, never>, 'start' | 'stop'>[],
  until$: ObservableInput<unknown>,
): Subscription {
  const running = new Subscription(() => servers.forEach((server) => server.stop()))
  for (const server of servers) server.start()
  const end = (): void => running.unsubscribe()
  running.add(from(until$).pipe(take(1)).subscribe({ complete: end }))
  return running
}

/** For each server, how each of its lives is made. */
function makers<S, C, R, Q, A>(
  options: ClusterOptions<S, C, R, Q, A>,
): (id: NodeId) => () => RaftNode<C, R, Q, A> {
  const { storage = () => memory(), seed = 1, joining = [] } = options
  const ids = [...options.ids, ...joining]
  const { random = (id) => seeded(Math.imul(seed, 0x9e3779b1) + ids.indexOf(id)) } = options
  const scheduler = options.scheduler ?? clockOfRun() ?? monotonic
  const turns = options.turns ?? endOfTurn(scheduler)
  const { partitions$ = [], cuts$ = [] } = options
  const net = network({
    ...options,
    partitions$: from(partitions$).pipe(tap((groups) => groups?.flat().forEach(known(ids)))),
    cuts$: from(cuts$).pipe(tap((cuts) => cuts.flat().forEach(known(ids)))),
    scheduler: turns,
  })
  return (id) => {
    const members = joining.includes(id) ? [] : options.ids
    const witnesses = joining.includes(id) ? [] : (options.witnesses ?? [])
    const own = { id, members, storage: storage(id), random: random(id), turns, scheduler }
    return () => raft({ ...options, ...own, witnesses, transport: net.join(id) })
  }
}

/** Refuses the name of a server that is not there, which would change nothing without being seen. */
const known =
  (ids: readonly NodeId[]) =>
  (id: NodeId): void => {
    if (!ids.includes(id)) throw new ConfigError('id', id, `one of ${ids.join(', ')}`)
  }

/** A virtual clock that somebody flushes by hand runs the ends of turns too. */
const endOfTurn = (scheduler: SchedulerLike): SchedulerLike =>
  scheduler instanceof VirtualTimeScheduler ? scheduler : asapScheduler
