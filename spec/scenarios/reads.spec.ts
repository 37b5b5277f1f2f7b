import { filter, mergeMap, pipe } from 'rxjs'
import { describe, it } from 'vitest'
import { latency, type LinkOperator } from '../../adapters/transport/memory.ts'
import { NotLeader } from '../../lib/errors.ts'
import type { NodeId } from '../../lib/types.ts'
import { marbles } from '../operators/support.ts'
import { appliedBy, sets, three, write } from './support.ts'

describe('a question that is under way when its server is cut off', () => {
  const groups = { p: [['a']], q: [['b']], h: undefined }

  it('at the leader: is answered with what the next leader wrote, or not at all [bug 21][F8]', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const toA$ = hot('    -------------x----------------------------------')
      const cut$ = hot('    -----------------p-------------------h----------', groups)
      const asked = '       ------------------(q|)'
      const toB$ = hot('    -------------------------------y----------------')
      const end = '         ------------------------------------------------|'
      const leads = '       n---------a----------------nb-------------------|'
      const answer = '      ------------------------------------------(z|)'
      const tooLate = '     ----------------------------------#'
      const servers = three(scheduler, { partitions$: cut$ })
      const node = servers.node('a')
      const asking = (timeout: number) =>
        cold(asked).pipe(mergeMap(() => node.query('all', { timeout })))
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(asking(40)).toBe(answer, { z: 'xy' })
      expectObservable(asking(16)).toBe(tooLate, undefined, new NotLeader(undefined))
      write(servers, 'a', toA$)
      write(servers, 'b', toB$)
      servers.connect(hot(end))
    })
  })

  it('at a follower: likewise', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const cut$ = hot('    ------------------q------------------h----------', groups)
      const asked = '       -----------------(q|)'
      const toA$ = hot('    -------------x-----------------y----------------')
      const end = '         ------------------------------------------------|'
      const answer = '      ------------------------------------------(z|)'
      const servers = three(scheduler, { partitions$: cut$ })
      const node = servers.node('b')
      const answer$ = cold(asked).pipe(mergeMap(() => node.query('all', { timeout: 40 })))
      expectObservable(answer$).toBe(answer, { z: 'xy' })
      write(servers, 'a', toA$)
      servers.connect(hot(end))
    })
  })

  it('is not confirmed by answers to earlier pulses, however late they come [bug 21]', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      // `a` is cut off from 20 to 45; what is said to it just before, from 17 on, arrives 22 ms late:
      // it confirms the early question, which came before `y`, and must not confirm the late one.
      const link = (from: NodeId, to: NodeId): LinkOperator =>
        from !== 'a' && to !== 'a'
          ? latency(1)
          : pipe(
              filter(() => scheduler.now() < 20 || scheduler.now() >= 45),
              latency(() => (to === 'a' && scheduler.now() >= 17 && scheduler.now() < 20 ? 22 : 1)),
            )
      const toA$ = hot('  -------------x--------------------------------------')
      const early = '     ------------------(q|)'
      const toB$ = hot('  ---------------------------------y------------------')
      const appliedByB = '-----------------x-----------------y----------------|'
      const late = '      -------------------------------------(q|)'
      const byEarly = '   -----------------------------------------(x|)'
      const byLate = '    ---------------------------------------------------(z|)'
      const leads = '     n---------a--------------------z---------------b----|'
      const end = '       ----------------------------------------------------|'
      const servers = three(scheduler, { link, checkQuorum: false })
      const node = servers.node('a')
      const ask = (when: string) =>
        cold(when).pipe(mergeMap(() => node.query('all', { timeout: 40 })))
      expectObservable(servers.leaders$).toBe(leads, { ...sets, z: ['a', 'b'] })
      expectObservable(appliedBy(servers, 'b')).toBe(appliedByB)
      expectObservable(ask(early)).toBe(byEarly)
      expectObservable(ask(late)).toBe(byLate, { z: 'xy' })
      write(servers, 'a', toA$)
      write(servers, 'b', toB$)
      servers.connect(hot(end))
    })
  })
})

describe('a question to a new leader', () => {
  it('waits for the first commit of its term, which tells it what was committed before [bug 22][F50]', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      // `x` is acknowledged at 15 and told to nobody.
      const toA$ = hot('    -------------x---------------------')
      const crash$ = hot('  ----------------a------------------')
      const end = '         -----------------------------------|'
      const leads = '       n---------a-----n-----------b------|'
      const asked = '       ----------------------------(q|)'
      const stale = '       ----------------------------(o|)'
      const fresh = '       ------------------------------(x|)'
      const servers = three(scheduler, { crash$ })
      const node = servers.node('b')
      expectObservable(servers.leaders$).toBe(leads, sets)
      const ask = (consistency: 'stale' | 'linearizable') =>
        cold(asked).pipe(mergeMap(() => node.query('all', { consistency })))
      expectObservable(ask('stale')).toBe(stale, { o: '' })
      expectObservable(ask('linearizable')).toBe(fresh)
      write(servers, 'a', toA$)
      servers.connect(hot(end))
    })
  })
})
