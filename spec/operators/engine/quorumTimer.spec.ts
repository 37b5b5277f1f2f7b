import { describe, it } from 'vitest'
import { quorumTimer } from '../../../operators/engine/quorumTimer.ts'
import { leaderRole, marbles, protocol, stateWith, stepWith } from '../support.ts'

/** A leader of three that heard its followers at the given times. */
const leading = (b: number, c: number) =>
  stepWith({ state: stateWith({ role: leaderRole({ a: 0, b, c }) }) })
const following = stepWith({ state: stateWith() })
const timeouts = (frames: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(frames).map(([m, at]) => [m, { type: 'quorumTimeout', at }]))

describe('quorumTimer', () => {
  it('rings when a leader has heard no quorum for the longest election timeout [bug 71]', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
      const steps$ = hot('l--m--n------------f---|', {
        ...{ l: leading(0, 0), m: leading(3, 3), n: leading(6, 6), f: following },
      })
      const whole = '     ^----------------------!'
      const result = '    ------------x----------|'
      expectObservable(steps$.pipe(quorumTimer(scheduler))).toBe(result, timeouts({ x: 12 }))
      expectSubscriptions(steps$.subscriptions).toBe(whole)
    })
  })

  it('is content with a quorum: one follower of two', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('l--m--n--------|', {
        ...{ l: leading(0, 0), m: leading(3, 0), n: leading(6, 0) },
      })
      const result = '    ------------x--|'
      expectObservable(steps$.pipe(quorumTimer(scheduler))).toBe(result, timeouts({ x: 12 }))
    })
  })

  it('is not content with half of an even cluster [bug 68]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const role = leaderRole({ a: 0, b: 5, c: 0, d: 0 })
      const half = stepWith({ state: stateWith({ role }, ['a', 'b', 'c', 'd']) })
      const steps$ = hot('-----l--------|', { l: half })
      const result = '    ------x-------|'
      expectObservable(steps$.pipe(quorumTimer(scheduler))).toBe(result, timeouts({ x: 6 }))
    })
  })

  it('does not ring for a server that no longer leads', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('l--f---------|', { l: leading(0, 0), f: following })
      const result = '    -------------|'
      expectObservable(steps$.pipe(quorumTimer(scheduler))).toBe(result)
    })
  })

  it('does not ring for a leader that is a quorum by itself', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const alone = stepWith({ state: stateWith({ role: leaderRole({ a: 0 }) }, ['a']) })
      const steps$ = hot('l------------|', { l: alone })
      const result = '    -------------|'
      expectObservable(steps$.pipe(quorumTimer(scheduler))).toBe(result)
    })
  })

  it('does not ring where it is switched off', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const config = { ...protocol(), checkQuorum: false }
      const role = leaderRole({ a: 0, b: 0, c: 0 })
      const steps$ = hot('l------------|', { l: stepWith({ state: stateWith({ config, role }) }) })
      const result = '    -------------|'
      expectObservable(steps$.pipe(quorumTimer(scheduler))).toBe(result)
    })
  })

  it('errors with the steps', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('l--#', { l: leading(0, 0) })
      const result = '    ---#'
      expectObservable(steps$.pipe(quorumTimer(scheduler))).toBe(result)
    })
  })
})
