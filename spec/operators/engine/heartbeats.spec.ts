import { describe, expect, it } from 'vitest'
import { heartbeats } from '../../../operators/engine/heartbeats.ts'
import type { Leader } from '../../../lib/state.ts'
import { HandClock, leaderRole, marbles, stateWith, stepWith } from '../support.ts'
import { Subject } from 'rxjs'

const following = stepWith({ state: stateWith() })
const leading = (pulse: number, change: Partial<Leader> = {}) =>
  stepWith({ state: stateWith({ role: leaderRole({ a: 0, b: 0, c: 0 }, { pulse, ...change }) }) })
const pulses = (frames: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(frames).map(([m, at]) => [m, { type: 'heartbeatTimeout', at }]))

describe('heartbeats', () => {
  it('come an interval after the last pulse, while this server leads', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
      const steps$ = hot('f---l---------m---------f-----|', {
        ...{ f: following, l: leading(4), m: leading(14) },
      })
      const whole = '     ^-----------------------------!'
      const result = '    ---------x---------y----------|'
      const beats = pulses({ x: 9, y: 19 })
      expectObservable(steps$.pipe(heartbeats(5, scheduler))).toBe(result, beats)
      expectSubscriptions(steps$.subscriptions).toBe(whole)
    })
  })

  it('are put off by a pulse that went out for another reason', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('l--m----------|', { l: leading(0), m: leading(3) })
      const result = '    --------x-----|'
      expectObservable(steps$.pipe(heartbeats(5, scheduler))).toBe(result, pulses({ x: 8 }))
    })
  })

  it('tell of a commit 2 ms after it, if nothing else has', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('l----m-------|', {
        ...{ l: leading(0), m: leading(0, { untold: 5 }) },
      })
      const result = '    -------x-----|'
      expectObservable(steps$.pipe(heartbeats(50, scheduler))).toBe(result, pulses({ x: 7 }))
    })
  })

  it('do not come early when the commit was told meanwhile', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('l----mn-------------|', {
        ...{ l: leading(0), m: leading(0, { untold: 5 }), n: leading(0) },
      })
      const result = '    ---------------x----|'
      expectObservable(steps$.pipe(heartbeats(15, scheduler))).toBe(result, pulses({ x: 15 }))
    })
  })

  it('stop when this server no longer leads', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('l--f------|', { l: leading(0), f: following })
      const result = '    ----------|'
      expectObservable(steps$.pipe(heartbeats(5, scheduler))).toBe(result)
    })
  })

  it('are not for a leader without followers', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('l---------|', {
        l: stepWith({ state: stateWith({ role: leaderRole({ a: 0 }) }) }),
      })
      const result = '    ----------|'
      expectObservable(steps$.pipe(heartbeats(5, scheduler))).toBe(result)
    })
  })

  it('error with the steps', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('l--#', { l: leading(0) })
      const result = '    ---#'
      expectObservable(steps$.pipe(heartbeats(5, scheduler))).toBe(result)
    })
  })

  it('cost no timer for a step', () => {
    const clock = new HandClock()
    const steps$ = new Subject<ReturnType<typeof leading>>()
    steps$.pipe(heartbeats(50, clock)).subscribe()
    for (let i = 0; i < 1000; i++) steps$.next(leading(0))
    expect(clock.calls).toBe(1)
  })
})
