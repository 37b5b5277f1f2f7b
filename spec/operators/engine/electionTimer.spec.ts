import { map, takeUntil, timer, type SchedulerLike } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { Event } from '../../../lib/events.ts'
import type { State } from '../../../lib/state.ts'
import type { Step } from '../../../lib/turn.ts'
import { electionTimer } from '../../../operators/engine/electionTimer.ts'
import { loop } from '../../../operators/engine/loop.ts'
import { seeded } from '../../../testing/seeded.ts'
import { leaderRole, marbles, protocol, stateWith, stepWith } from '../support.ts'

const heard = (contact: number, change: Partial<State> = {}) =>
  stepWith({ state: stateWith({ contact, ...change }) })
const campaigning = (contact: number, term: number) =>
  heard(contact, { term, role: { type: 'candidate', votes: new Map() } })
const leading = stepWith({ state: stateWith({ term: 1, role: leaderRole({ a: 0 }) }) })
const timeouts = (frames: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(frames).map(([m, at]) => [m, { type: 'electionTimeout', at }]))

/** Draws the given numbers, over and over. */
const drawing = (...numbers: number[]) => {
  let drawn = 0
  return () => numbers[drawn++ % numbers.length]!
}

describe('electionTimer', () => {
  it('rings after silence, from the last contact on, and never for a leader', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
      const steps$ = hot('f--g--h-------------c----l------------|', {
        ...{ f: heard(0), g: heard(3), h: heard(6) },
        ...{ c: campaigning(20, 1), l: leading },
      })
      const whole = '     ^-------------------------------------!'
      const result = '    -------------x------------------------|'
      const silence = electionTimer([7, 8], drawing(0), 1, scheduler)
      expectObservable(steps$.pipe(silence)).toBe(result, timeouts({ x: 13 }))
      expectSubscriptions(steps$.subscriptions).toBe(whole)
    })
  })

  it('rings again and again while its candidate does not win', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('f-----c----d------|', {
        ...{ f: heard(0), c: campaigning(5, 1), d: campaigning(10, 2) },
      })
      const result = '    -----x----y----z--|'
      const silence = electionTimer([5, 6], drawing(0), 1, scheduler)
      expectObservable(steps$.pipe(silence)).toBe(result, timeouts({ x: 5, y: 10, z: 15 }))
    })
  })

  it('draws patience between its bounds', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('f------------|', { f: heard(0) })
      const shortest = '  -----x-------|'
      const middle = '    -------x-----|'
      const ring = (random: number) => electionTimer([5, 9], drawing(random), 1, scheduler)
      expectObservable(steps$.pipe(ring(0))).toBe(shortest, timeouts({ x: 5 }))
      expectObservable(steps$.pipe(ring(0.5))).toBe(middle, timeouts({ x: 7 }))
    })
  })

  it('draws anew after every timeout and for every term [bug 53]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('f-----p----c---------|', {
        f: heard(0),
        // Asks in advance, in the same term.
        p: heard(5, { role: { type: 'precandidate', votes: new Map() } }),
        c: campaigning(11, 1),
      })
      const result = '    -----x------------y--|'
      const ring = electionTimer([5, 15], drawing(0, 0.9, 0.2), 1, scheduler)
      expectObservable(steps$.pipe(ring)).toBe(result, timeouts({ x: 5, y: 18 }))
    })
  })

  it('keeps its patience within a term', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('f--g-----------|', { f: heard(0), g: heard(3) })
      const result = '    --------x------|'
      const ring = electionTimer([5, 15], drawing(0, 0.9), 1, scheduler)
      expectObservable(steps$.pipe(ring)).toBe(result, timeouts({ x: 8 }))
    })
  })

  it('never rings before the disk has spoken, nor for a server without a vote', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('b--n-----------|', {
        b: heard(0, { booted: false }),
        n: stepWith({ state: stateWith({ contact: 3 }, ['b', 'c']) }),
      })
      const result = '    ---------------|'
      expectObservable(steps$.pipe(electionTimer([5, 6], drawing(0), 1, scheduler))).toBe(result)
    })
  })

  it('waits for a disk that has stalled, and goes on when it answers [F21]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const config = { ...protocol(), diskStall: 4 }
      const saving = [{ sequence: 1, at: 0, term: 1, promises: [] }]
      const steps$ = hot('f---s----------w------|', {
        f: heard(0, { config, saving }),
        s: { ...heard(0, { config, saving }), at: 4 },
        w: { ...heard(0, { config }), at: 15 },
      })
      // So late that the timer looks twice.
      const result = '    ----------------x-----|'
      const ring = electionTimer([5, 6], drawing(0), 1, scheduler)
      expectObservable(steps$.pipe(ring)).toBe(result, timeouts({ x: 16 }))
    })
  })

  it('waits longer, and not for ever, where another voter has a higher priority', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const members = { ...protocol().members, priorities: { b: 1 } }
      const steps$ = hot('f-----------------|', { f: heard(0, { members }) })
      const shortest = '  ---------x--------|'
      const longest = '   ------------x-----|'
      const ring = (random: number) => electionTimer([5, 9], drawing(random), 1, scheduler)
      expectObservable(steps$.pipe(ring(0))).toBe(shortest, timeouts({ x: 9 }))
      expectObservable(steps$.pipe(ring(0.75))).toBe(longest, timeouts({ x: 12 }))
    })
  })

  it('errors with the steps', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const steps$ = hot('f--#', { f: heard(0) })
      const result = '    ---#'
      expectObservable(steps$.pipe(electionTimer([5, 6], drawing(0), 1, scheduler))).toBe(result)
    })
  })

  it('can be used again: each subscription draws for itself', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const steps$ = cold('f---------|', { f: heard(0) })
      const result = '     -----x----|'
      const timed$ = steps$.pipe(electionTimer([5, 6], drawing(0), 1, scheduler))
      expectObservable(timed$).toBe(result, timeouts({ x: 5 }))
      expectObservable(timed$).toBe(result, timeouts({ x: 5 }))
    })
  })
})

describe('twenty election timers that start at once', () => {
  /** A server that nobody hears: every timeout is the beginning of its next wait. */
  const alone = (random: () => number, scheduler: SchedulerLike) =>
    loop<Event, Step>(
      map((events) => heard(events.at(-1)!.at)),
      [electionTimer([150, 300], random, 1, scheduler)],
    )

  it('do not cluster, however long they run [bug 53]', () => {
    const rings: number[] = []
    marbles(({ hot }, scheduler) => {
      const random = seeded(1)
      for (let i = 0; i < 20; i++) {
        hot<Event>('f', { f: { type: 'heartbeatTimeout', at: 0 } })
          .pipe(alone(random, scheduler), takeUntil(timer(20_000)))
          .subscribe(({ state }) => rings.push(state.contact))
      }
    })
    const late = rings.filter((at) => at > 10_000)
    const within = (ms: number) =>
      Math.max(...late.map((at) => late.filter((t) => t >= at && t < at + ms).length))
    // Twenty timers of 225 ms on average ring 0.9 times in 10 ms.
    expect(late.length).toBeGreaterThan(800)
    expect(within(10)).toBeLessThanOrEqual(8)
  })
})
