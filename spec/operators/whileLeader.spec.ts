import { defer, EMPTY, firstValueFrom, mergeWith, NEVER, of, type ObservableInput } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { RoleStatus } from '../../operators/engine/node.ts'
import { whileLeader } from '../../operators/whileLeader.ts'
import { three } from '../scenarios/support.ts'
import { marbles } from './support.ts'

/** A follower, candidate or leader; a capital letter in a later term. */
const roles: Readonly<Record<string, RoleStatus>> = {
  f: { role: 'follower', term: 1 },
  p: { role: 'precandidate', term: 1 },
  c: { role: 'candidate', term: 2 },
  l: { role: 'leader', term: 2 },
  F: { role: 'follower', term: 3 },
  L: { role: 'leader', term: 4 },
}

describe('whileLeader', () => {
  it('runs the work while this server leads', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const role$ = hot(' f---l--------f---l----|', roles)
      const whole = '     ^---------------------!'
      const work$ = cold('    -a--b--c')
      const first = '     ----^--------!'
      const second = '    -----------------^----!'
      const result = '    -----a--b--c------a--b|'
      expectObservable(role$.pipe(whileLeader(() => work$))).toBe(result)
      expectSubscriptions(role$.subscriptions).toBe(whole)
      expectSubscriptions(work$.subscriptions).toBe([first, second])
    })
  })

  it('gives the work its term: a fencing token that only grows', () => {
    marbles(({ hot, expectObservable }) => {
      const role$ = hot('f-c-l---F--L--|', roles)
      const result = '   ----x------y--|'
      const tokens$ = role$.pipe(whileLeader((term) => of(term)))
      expectObservable(tokens$).toBe(result, { x: 2, y: 4 })
    })
  })

  it('begins anew when a term ends and the next is won within one step', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const role$ = hot(' l----L---|', roles)
      const work$ = cold('-a------')
      const first = '     ^----!'
      const second = '    -----^---!'
      const result = '    -a----a--|'
      expectObservable(role$.pipe(whileLeader(() => work$))).toBe(result)
      expectSubscriptions(work$.subscriptions).toBe([first, second])
    })
  })

  it('does not begin again what has completed, while the same term lasts', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const role$ = hot(' -l--l---|', roles)
      const work$ = cold(' -a|')
      const once = '      -^-!'
      const result = '    --a-----|'
      expectObservable(role$.pipe(whileLeader(() => work$))).toBe(result)
      expectSubscriptions(work$.subscriptions).toBe(once)
    })
  })

  it('completes with the roles, whatever the work still has to do', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(hot('-l--|', roles).pipe(whileLeader(() => NEVER))).toBe('----|')
      expectObservable(hot('-f--|', roles).pipe(whileLeader(() => NEVER))).toBe('----|')
      expectObservable(EMPTY.pipe(whileLeader(() => NEVER))).toBe('|')
    })
  })

  it('errors with the roles and with the work, which `retry()` begins again', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const failing$ = hot('-l--#', roles)
      expectObservable(failing$.pipe(whileLeader(() => NEVER))).toBe('----#')
      const role$ = hot(' -l--------', roles)
      const work$ = cold(' -a-#     ')
      const result = '    --a-#'
      const whole = '     ^---!'
      expectObservable(role$.pipe(whileLeader(() => work$))).toBe(result)
      expectSubscriptions(role$.subscriptions).toBe(whole)
      const thrown$ = hot('-l---', roles).pipe(
        whileLeader(() => {
          throw new TypeError('no work')
        }),
      )
      expectObservable(thrown$).toBe('-#', undefined, new TypeError('no work'))
    })
  })

  it('takes down the work when it is unsubscribed, and can be used again', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const role$ = hot(' -l---------', roles)
      const work$ = cold(' -a--b--c--')
      const until = '     ^----!'
      const first = '     -^---!'
      let begun = 0
      const worked$ = role$.pipe(whileLeader(() => defer(() => (begun++, work$))))
      expect(begun).toBe(0)
      expectObservable(worked$, until).toBe('--a--')
      expectObservable(worked$, until).toBe('--a--')
      expectSubscriptions(work$.subscriptions).toBe([first, first])
    })
  })

  it('takes any source as work', async () => {
    const role$ = of(roles['l']!).pipe(mergeWith(NEVER))
    const first = <T>(work: (term: number) => ObservableInput<T>) =>
      firstValueFrom(role$.pipe(whileLeader(work)))
    expect(await first((term) => [term])).toBe(2)
    expect(await first((term) => Promise.resolve(term))).toBe(2)
    expect(await first((term) => ReadableStream.from([term]))).toBe(2)
  })

  it('runs on one server of a cluster at a time, also across a crash', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const crash$ = hot('--------------------a------------------')
      const end = '       ---------------------------------------|'
      const leads = '     n---------a---------n-----------b------|'
      const jobOfA = '    ----------x---x---x-|'
      const jobOfB = '    --------------------------------x---x--|'
      const servers = three(scheduler, { crash$ })
      const work$ = cold('x---x---x---x---x---')
      const job = (id: string) => servers.node(id).role$.pipe(whileLeader(() => work$))
      expectObservable(servers.leaders$).toBe(leads, { n: [], a: ['a'], b: ['b'] })
      expectObservable(job('a')).toBe(jobOfA)
      expectObservable(job('b')).toBe(jobOfB)
      servers.connect(hot(end))
    })
  })
})
