import { map, mergeMap, Subject, timer, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { latency } from '../../adapters/transport/memory.ts'
import { cluster, seeded } from '../../testing/index.ts'
import { marbles } from '../operators/support.ts'
import { appliedBy, journal, names, sets, termsOf, three } from './support.ts'

describe('an election of three servers that are 1 ms apart', () => {
  it('is two round trips after the first silence: asked in advance, then asked (§5.2)', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const end = '      ---------------|'
      const leads = '    n---------a----|'
      const leaderOfA = 'n---------a----|'
      const leaderOfB = 'n----------a---|'
      const leaderOfC = 'n----------a---|'
      const servers = three(scheduler)
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(servers.leader$('a')).toBe(leaderOfA, names)
      expectObservable(servers.leader$('b')).toBe(leaderOfB, names)
      expectObservable(servers.leader$('c')).toBe(leaderOfC, names)
      servers.connect(hot(end))
    })
  })

  it('shows every role on the way', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const end = '    ---------------|'
      const rolesOfA = 'f-----p-c-l----|'
      const rolesOfC = 'f--------F-----|'
      const servers = three(scheduler)
      const rolesOf = (id: string) => servers.watch(id, (node) => node.role$)
      const roles = {
        f: { role: 'follower', term: 0 },
        F: { role: 'follower', term: 1 },
        p: { role: 'precandidate', term: 0 },
        c: { role: 'candidate', term: 1 },
        l: { role: 'leader', term: 1 },
      }
      expectObservable(rolesOf('a')).toBe(rolesOfA, roles)
      expectObservable(rolesOf('c')).toBe(rolesOfC, roles)
      servers.connect(hot(end))
    })
  })

  it('happens once: the leader’s pulse keeps the others quiet', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const end = '  1s |'
      const leads = 'n---------a 989ms |'
      const servers = three(scheduler)
      expectObservable(servers.leaders$).toBe(leads, sets)
      servers.connect(hot(end))
    })
  })

  it('goes on without a minority that does not answer', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const crash$ = hot('c--------------')
      const end = '       ---------------|'
      const leads = '     n---------a----|'
      const servers = three(scheduler, { crash$ })
      expectObservable(servers.leaders$).toBe(leads, sets)
      servers.connect(hot(end))
    })
  })

  it('comes to nothing without a majority, and moves no term [F2]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const crash$ = hot('(bc)--')
      const end = '       200ms |'
      const leads = '     n 199ms |'
      const terms = '     0 199ms |'
      const servers = three(scheduler, { crash$ })
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(termsOf(servers, 'a')).toBe(terms, { 0: 0 })
      servers.connect(hot(end))
    })
  })
})

describe('a leader that crashes', () => {
  it('is replaced after the shortest patience and two round trips', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const crash$ = hot('  ------------------a------------------------')
      const restart$ = hot('----------------------------------a--------')
      const end = '         -------------------------------------------|'
      const leads = '       n---------a-------n----------b-------------|'
      const leaderOfA = '   n---------a-------n-----------------b------|'
      const leaderOfB = '   n----------a-------------n---b-------------|'
      const leaderOfC = '   n----------a----------------n-b------------|'
      const servers = three(scheduler, { crash$, restart$ })
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(servers.leader$('a')).toBe(leaderOfA, names)
      expectObservable(servers.leader$('b')).toBe(leaderOfB, names)
      expectObservable(servers.leader$('c')).toBe(leaderOfC, names)
      servers.connect(hot(end))
    })
  })

  it('loses nothing that it has acknowledged, though it has told nobody [bug 36]', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const word = '       -------------(x|)'
      const progress = '   -------------q-(rca|)'
      const crash$ = hot(' ----------------a-----------------')
      const end = '        ----------------------------------|'
      const appliedByB = ' ------------------------------x---|'
      const appliedByC = ' --------------------------------x-|'
      const servers = three(scheduler, { crash$ })
      const proposed$ = cold(word).pipe(mergeMap((it) => servers.node('a').propose(it)))
      expectObservable(proposed$.pipe(map(({ type }) => type[0]))).toBe(progress)
      expectObservable(appliedBy(servers, 'b')).toBe(appliedByB)
      expectObservable(appliedBy(servers, 'c')).toBe(appliedByC)
      servers.connect(hot(end))
    })
  })
})

describe('many elections', () => {
  /** How long five servers, 1 to 5 ms apart, are without a leader after theirs has crashed. */
  const downtime = (seed: number): number => {
    const scheduler = new VirtualTimeScheduler()
    const random = seeded(seed)
    const link = () => latency(() => 1 + 4 * random(), scheduler)
    const crash$ = new Subject<string>()
    const ids = ['a', 'b', 'c', 'd', 'e']
    const servers = cluster({ ids, machine: journal, scheduler, link, crash$, seed })
    let crashed = Infinity
    let elected = Infinity
    let leaders: readonly string[] = []
    servers.leaders$.subscribe((now) => {
      leaders = now
      if (now.length > 0 && scheduler.now() > crashed) elected = Math.min(elected, scheduler.now())
    })
    timer(1000 + 100 * random(), scheduler).subscribe(() => {
      crashed = scheduler.now()
      crash$.next(leaders[0]!)
    })
    servers.connect(timer(4000, scheduler))
    scheduler.flush()
    return elected - crashed
  }

  it('leave a cluster without a leader for 2 election timeouts at most, and seldom for 1', () => {
    const times = Array.from({ length: 60 }, (_, seed) => downtime(seed)).sort((a, b) => a - b)
    expect(times.at(-1)).toBeLessThan(600)
    expect(times[30]).toBeLessThan(300)
    expect(times[0]).toBeGreaterThan(100)
  })

  it('do not fall together: twenty servers that hear nobody stay spread [bug 53]', () => {
    const scheduler = new VirtualTimeScheduler()
    const ids = Array.from({ length: 20 }, (_, i) => `n${i}`)
    const apart = ids.map((id) => [id])
    const servers = cluster({ ids, machine: journal, scheduler, partitions$: [apart] })
    const campaigns: number[] = []
    for (const id of ids) {
      servers
        .watch(id, (node) => node.trace$)
        .subscribe((trace) => {
          if (trace.type !== 'step') return
          const { at, events } = trace.step
          if (events.some(({ type }) => type === 'electionTimeout')) campaigns.push(at)
        })
    }
    servers.connect(timer(20_000, scheduler))
    scheduler.flush()
    const late = campaigns.filter((at) => at > 10_000)
    const within = (ms: number) =>
      Math.max(...late.map((at) => late.filter((it) => it >= at && it < at + ms).length))
    // Twenty timers of 225 ms on average ring 0.9 times in 10 ms.
    expect(late.length).toBeGreaterThan(800)
    expect(within(10)).toBeLessThanOrEqual(8)
  })
})
