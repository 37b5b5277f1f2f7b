import { expect, it } from 'vitest'
import { TestScheduler } from 'rxjs/testing'
import { latency } from '../../adapters/transport/memory.ts'
import { cluster } from '../../testing/index.ts'
it('x', () => {
  const s = new TestScheduler((a, b) => { console.log(a.map((x: any) => `${x.frame} ${JSON.stringify(x.notification)}`).join('\n'),'\n--') })
  s.run(({ hot, expectObservable }) => {
    const crash$ = hot('  --------------a--------------------')
    const restart$ = hot('---------------------------a-------')
    const c = cluster({ ids: ['a','b','c'], machine: { initial: 0, apply: (n: number, by: number) => [n+by, n+by] as const }, scheduler: s,
      electionTimeout: [4, 12], heartbeat: 2, random: (id) => () => ({a:0,b:0.3,c:0.9}[id]!), link: () => latency(1, s), crash$, restart$ })
    expectObservable(c.leader$('a')).toBe('')
    expectObservable(c.leader$('b')).toBe('')
    expectObservable(c.leader$('c')).toBe('')
    expectObservable(c.leaders$).toBe('')
    c.connect(hot('--------------------------------------|'))
  })
})
