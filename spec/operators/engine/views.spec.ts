import { describe, it } from 'vitest'
import type { Notice } from '../../../lib/storage.ts'
import { commits, leader, members, role, status, trace } from '../../../operators/engine/views.ts'
import { commands, leaderRole, marbles, stateWith, stepWith } from '../support.ts'

const following = (term: number, id?: string) =>
  stateWith({ term, role: { type: 'follower', leader: id, asked: [] } })
const leading = (term: number) => stateWith({ term, role: leaderRole({ a: 0 }) })
const campaigning = (term: number) =>
  stateWith({ term, role: { type: 'candidate', votes: new Map() } })

describe('the views of a node', () => {
  it('show the leader when it or its term changes', () => {
    marbles(({ hot, expectObservable }) => {
      const states$ = hot('u-b-b-c-d-a-|', {
        ...{ u: following(0), b: following(1, 'b'), c: following(2, 'b') },
        ...{ d: campaigning(3), a: leading(3) },
      })
      const leaders = '    u-b---c-d-a-|'
      expectObservable(states$.pipe(leader)).toBe(leaders, {
        ...{ u: undefined, b: { id: 'b', term: 1 }, c: { id: 'b', term: 2 } },
        ...{ d: undefined, a: { id: 'a', term: 3 } },
      })
    })
  })

  it('show the role when it or its term changes, once the disk has spoken', () => {
    marbles(({ hot, expectObservable }) => {
      const states$ = hot('u-f-f-c-l-g-|', {
        ...{ u: stateWith({ booted: false }), f: following(0), c: campaigning(1) },
        ...{ l: leading(1), g: following(1, 'b') },
      })
      const roles = '      --f---c-l-g-|'
      expectObservable(states$.pipe(role)).toBe(roles, {
        ...{ f: { role: 'follower', term: 0 }, c: { role: 'candidate', term: 1 } },
        ...{ l: { role: 'leader', term: 1 }, g: { role: 'follower', term: 1 } },
      })
    })
  })

  it('show the members when they change', () => {
    marbles(({ hot, expectObservable }) => {
      const [three, two] = [stateWith({}, ['a', 'b', 'c']), stateWith({}, ['a', 'b'])]
      const states$ = hot('t-u-v-|', { t: three, u: { ...three, term: 1 }, v: two })
      const result = '     t---v-|'
      expectObservable(states$.pipe(members)).toBe(result, { t: three.members, v: two.members })
    })
  })

  it('show the status after every step', () => {
    marbles(({ hot, expectObservable }) => {
      const state = { ...following(3, 'b'), commitIndex: 5, appliedIndex: 4 }
      const states$ = hot('s-s-|', { s: state })
      const result = '     s-s-|'
      expectObservable(states$.pipe(status)).toBe(result, {
        s: {
          ...{ id: 'a', role: 'follower', term: 3, leader: 'b', members: state.members },
          ...{ commitIndex: 5, appliedIndex: 4, lastIndex: 0, snapshotIndex: 0 },
          fingerprint: undefined,
        },
      })
    })
  })

  it('show every applied command once, in order', () => {
    marbles(({ hot, expectObservable }) => {
      const outcomes = (...values: string[]) => ({
        batch: commands(1, 1, ...values),
        outcomes: values,
      })
      const steps$ = hot('-s-t-u------|', {
        s: stepWith({ applied: [outcomes('a')] }),
        t: stepWith(),
        u: stepWith({ applied: [outcomes('b', 'c'), outcomes('d')] }),
      })
      const result = '    -a---(bcd)--|'
      expectObservable(steps$.pipe(commits())).toBe(result)
    })
  })

  it('show every step, and what an adapter noticed before the step that it came with', () => {
    marbles(({ hot, expectObservable }) => {
      const noticed: Notice & { readonly at: number } = {
        ...{ type: 'notice', source: 'storage', code: 'torn-tail', message: 'cut', at: 3 },
      }
      const [s, t] = [stepWith(), stepWith({ events: [noticed] })]
      const steps$ = hot('-s-t----|', { s, t })
      const result = '    -s-(nt)-|'
      expectObservable(steps$.pipe(trace)).toBe(result, {
        ...{ s: { type: 'step', step: s }, n: noticed, t: { type: 'step', step: t } },
      })
    })
  })

  it('end with the node, and fail with it', () => {
    marbles(({ hot, expectObservable }) => {
      const [states, steps] = [hot<never>('--|'), hot<never>('--#')]
      for (const view of [leader, role, members, status]) {
        expectObservable(states.pipe<unknown>(view)).toBe('--|')
      }
      for (const view of [commits(), trace]) {
        expectObservable(steps.pipe<unknown>(view)).toBe('--#')
      }
    })
  })
})
