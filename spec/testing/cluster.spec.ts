import {
  concat,
  EMPTY,
  filter,
  firstValueFrom,
  lastValueFrom,
  map,
  mergeMap,
  of,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs'
import type { TestScheduler } from 'rxjs/testing'
import { describe, expect, it } from 'vitest'
import { latency } from '../../adapters/transport/memory.ts'
import { ConfigError, StorageError } from '../../lib/errors.ts'
import type { Restored } from '../../lib/storage.ts'
import type { Storage } from '../../operators/adapters.ts'
import { cluster, type ClusterOptions } from '../../testing/index.ts'
import { marbles, uncaughtDuring } from '../operators/support.ts'

const sum = {
  initial: 0,
  apply: (total: number, by: number) => [total + by, total + by] as const,
  query: (total: number, _: 'total') => total,
}

type Options = ClusterOptions<number, number, number, 'total', number>

/** Servers 1 ms apart, of whom `a` is the least patient. */
const quick = (scheduler: TestScheduler, options: Partial<Options> = {}) =>
  cluster({
    ids: ['a', 'b', 'c'],
    machine: sum,
    electionTimeout: [4, 12],
    heartbeat: 2,
    random: (id) => () => ({ a: 0, b: 0.3, c: 0.9 })[id]!,
    link: () => latency(1, scheduler),
    scheduler,
    ...options,
  })

const names = { n: undefined, a: 'a', b: 'b', c: 'c' }

describe('a cluster', () => {
  it('shows who leads while servers crash and restart', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const crash$ = hot('  --------------a--------------------')
      const restart$ = hot('---------------------------a-------')
      const end$ = hot('    ----------------------------------|')
      const leads = '       n-------a-----n---------b---------|'
      const leaderOfA = '   n-------a-----n--------------b----|'
      const leaderOfB = '   n--------a----------n---b---------|'
      const leaderOfC = '   n--------a-------------n-b--------|'
      const servers = quick(scheduler, { crash$, restart$ })
      expectObservable(servers.leaders$).toBe(leads, { n: [], a: ['a'], b: ['b'] })
      expectObservable(servers.leader$('a')).toBe(leaderOfA, names)
      expectObservable(servers.leader$('b')).toBe(leaderOfB, names)
      expectObservable(servers.leader$('c')).toBe(leaderOfC, names)
      servers.connect(end$)
    })
  })

  it('cuts its servers apart as the streams say', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const partitions$ = hot('------------p------------h-------', { p: [['c']], h: undefined })
      const end$ = hot('       --------------------------------|')
      const leads = '          n-------a-----------------------|'
      const leaderOfC = '      n--------a-------------n---a----|'
      const servers = quick(scheduler, { partitions$ })
      expectObservable(servers.leaders$).toBe(leads, { n: [], a: ['a'] })
      expectObservable(servers.leader$('c')).toBe(leaderOfC, names)
      servers.connect(end$)
    })
  })

  it('keeps the disk of a server, and nothing else, from one life to the next', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const crash$ = hot('  -------------a---------------')
      const restart$ = hot('------------------a----------')
      const end$ = hot('    ----------------------------|')
      const commits = '     -------s--------------s-----|'
      const servers = quick(scheduler, { ids: ['a'], crash$, restart$ })
      const applied$ = servers.watch('a', (node) => node.commits$)
      expectObservable(applied$.pipe(filter(({ command }) => command === 5))).toBe(commits, {
        s: { index: 3, term: 1, command: 5, ok: true, result: 5 },
      })
      cold('-------(x|)')
        .pipe(mergeMap(() => servers.node('a').propose(5)))
        .subscribe()
      servers.connect(end$)
    })
  })

  it('is alone with itself: one server', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const end$ = hot(' ---------|')
      const leads = '    n---a----|'
      const servers = quick(scheduler, { ids: ['a'] })
      expectObservable(servers.leaders$).toBe(leads, { n: [], a: ['a'] })
      servers.connect(end$)
    })
  })

  it('leaves alone who is down and crashes, and who runs and is restarted', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const crash$ = hot('  -----a--a--------------')
      const restart$ = hot('--a-----------aa-------')
      const end$ = hot('    ----------------------|')
      const leads = '       n---an------------a---|'
      const servers = quick(scheduler, { ids: ['a'], crash$, restart$ })
      expectObservable(servers.leaders$).toBe(leads, { n: [], a: ['a'] })
      servers.connect(end$)
    })
  })
})

describe('a server that fails by itself', () => {
  const lost = new StorageError('the disk is gone')
  const nothing: Restored = { type: 'restored', term: 0, vote: undefined, batches: [] }
  const storage = (): Storage => (saves) =>
    concat(of(nothing), saves.pipe(mergeMap(() => throwError(() => lost))))

  it('is down, is named, and can be restarted', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const restart$ = hot('----------a----------')
      const end$ = hot('    --------------------|')
      const failures = '    ----x---------x-----|'
      const leaderOfA = '   n-------------------|'
      const lives = '       f---------f---------|'
      const servers = quick(scheduler, { ids: ['a'], storage, restart$ })
      const roles$ = servers.watch('a', (node) => node.role$.pipe(map(({ role }) => role[0])))
      expectObservable(servers.failures$).toBe(failures, { x: { id: 'a', error: lost } })
      expectObservable(servers.leader$('a')).toBe(leaderOfA, names)
      expectObservable(roles$).toBe(lives)
      servers.connect(end$)
    })
  })

  it('is reported as unhandled where nobody looks', async () => {
    const scheduler = new VirtualTimeScheduler()
    const thrown = await uncaughtDuring(() => {
      cluster({ ids: ['a'], machine: sum, scheduler, storage }).connect(timer(1000, scheduler))
      scheduler.flush()
    })
    expect(thrown).toEqual([lost])
  })
})

describe('chance', () => {
  /** Everything that the servers saw and did in two seconds of virtual time. */
  const run = (seed: number): readonly unknown[] => {
    const scheduler = new VirtualTimeScheduler()
    const crash$ = timer(500, scheduler).pipe(map(() => 'a'))
    const link = () => latency(1, scheduler)
    const options = { ids: ['a', 'b', 'c'], machine: sum, scheduler, crash$, link, seed }
    const servers = cluster(options)
    const seen: unknown[] = []
    for (const id of servers.ids) {
      servers.watch(id, (node) => node.trace$).subscribe((trace) => seen.push(trace))
    }
    servers.connect(timer(2000, scheduler))
    scheduler.flush()
    return seen
  }

  it('is the seed and nothing else: the same seed makes the same run', () => {
    const [once, again, other] = [run(7), run(7), run(8)]
    expect(once.length).toBeGreaterThan(100)
    expect(again).toEqual(once)
    expect(other).not.toEqual(once)
  })
})

describe('connect', () => {
  it('starts once, and its end is the end of every stream', () => {
    const scheduler = new VirtualTimeScheduler()
    const servers = cluster({ ids: ['a', 'b'], machine: sum, scheduler })
    const ended: string[] = []
    const note = (what: string) => ({ complete: () => ended.push(what) })
    servers.leaders$.subscribe(note('leaders$'))
    servers.leader$('a').subscribe(note('leader$'))
    servers.watch('b', (node) => node.commits$).subscribe(note('watch'))
    servers.failures$.subscribe(note('failures$'))
    const running = servers.connect()
    expect(servers.connect()).toBe(running)
    running.unsubscribe()
    expect(ended.sort()).toEqual(['failures$', 'leader$', 'leaders$', 'watch'])
    scheduler.flush()
    expect(scheduler.actions).toEqual([])
  })

  it.each([
    ['has emitted', of('now')],
    ['has completed', EMPTY],
  ])('ends when `until$` %s', (_, until$) => {
    const servers = cluster({ ids: ['a'], machine: sum, scheduler: new VirtualTimeScheduler() })
    expect(servers.connect(until$).closed).toBe(true)
  })

  it('runs in real time where no scheduler is given', async () => {
    const electionTimeout = [20, 40] as const
    const servers = cluster({ ids: ['a', 'b', 'c'], machine: sum, electionTimeout, heartbeat: 10 })
    const running = servers.connect()
    const [leader] = await firstValueFrom(servers.leaders$.pipe(filter((ids) => ids.length > 0)))
    const node = servers.node(leader!)
    expect(await lastValueFrom(node.propose(5))).toMatchObject({ type: 'applied', result: 5 })
    expect(await firstValueFrom(servers.node('b').query('total'))).toBe(5)
    running.unsubscribe()
  })
})

describe('a cluster that cannot be', () => {
  it('is refused', () => {
    const make = (options: Partial<Options>) => () =>
      cluster({ ids: ['a'], machine: sum, ...options })
    expect(make({ ids: [] })).toThrow(new ConfigError('ids', [], 'one name at least'))
    expect(make({ ids: ['a', 'a'] })).toThrow('without repetition')
    expect(() => make({ ids: ['a', 'b'] })().node('c')).toThrow(
      'id is "c": it should be one of a, b',
    )
  })

  it('refuses to crash a server that is not there', async () => {
    const thrown = await uncaughtDuring(() => {
      const options = { ids: ['a'], machine: sum, scheduler: new VirtualTimeScheduler() }
      cluster({ ...options, crash$: ['x'] })
        .connect(timer(5))
        .unsubscribe()
    })
    expect(thrown).toEqual([new ConfigError('id', 'x', 'one of a')])
  })

  it.each([
    ['a partition', { partitions$: [[['a'], ['x']]] }],
    ['a cut', { cuts$: [[['a', 'x'] as const]] }],
  ])('fails where %s names a server that is not there', (_, faults) => {
    const test = (): void => marbles(({ hot }) => void cluster(1, faults).connect(hot('----|')))
    expect(test).toThrow(new ConfigError('id', 'x', 'one of a'))
  })
})
