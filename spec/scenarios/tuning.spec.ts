import { describe, expect, it } from 'vitest'
import { latency } from '../../adapters/transport/memory.ts'
import { cluster } from '../../testing/index.ts'
import { marbles } from '../operators/support.ts'
import { journal } from './support.ts'

interface Run {
  readonly isTuned?: boolean
  /** How long a message takes that is sent at `now`. */
  readonly link: (now: number) => number
  /** When the leader crashes, if it does. */
  readonly crash?: string
  readonly ms: number
}

/** When the leaders change. Patience is 200 to 400 ms where nothing is known; a pulse goes out every 5 ms. */
function changes({ isTuned = true, link, crash = '-', ms }: Run) {
  const seen: { at: number; leads: string }[] = []
  marbles(({ hot }, scheduler) => {
    const patience: Record<string, number> = { a: 0, b: 0.3, c: 0.9 }
    const servers = cluster({
      ids: ['a', 'b', 'c'],
      machine: journal,
      electionTimeout: [200, 400],
      heartbeat: 5,
      tuned: isTuned && { atLeast: 12 },
      random: (id) => () => patience[id]!,
      link: () => latency(() => link(scheduler.now()), scheduler),
      scheduler,
      crash$: hot(crash),
    })
    servers.leaders$.subscribe((ids) => seen.push({ at: scheduler.now(), leads: ids.join() }))
    servers.connect(hot(`${ms}ms |`))
  })
  return seen
}

/** How long nobody leads after `a` crashes at 600, with this latency. */
function outage(ms: number, isTuned: boolean): number {
  const seen = changes({ isTuned, link: () => ms, crash: '600ms a', ms: 1_200 })
  const end = seen.find(({ at, leads }) => at > 600 && leads === 'b')
  return end!.at - 600
}

describe('election timeouts tuned from round trips', () => {
  it('make up for a crash within a few round trips, instead of what was given', () => {
    expect(outage(1, false)).toBeGreaterThan(250)
    expect(outage(1, true)).toBeLessThan(40)
  })

  it('follow from how long a message takes', () => {
    const near = outage(1, true)
    const far = outage(10, true)
    expect(far).toBeGreaterThan(near + 60)
    expect(far).toBeLessThan(outage(10, false))
  })

  it('never exceed what was given, however far servers are from each other', () => {
    const difference = outage(60, true) - outage(60, false)
    expect(Math.abs(difference)).toBeLessThan(5)
  })

  it('let a leader lead on when messages take longer and longer', () => {
    const link = (now: number) => 1 + Math.max(0, now - 300) / 50
    const seen = changes({ link, ms: 2_000 })
    expect(seen.map(({ leads }) => leads)).toEqual(['', 'a'])
  })

  it('settle on a leader again when messages suddenly take a hundred times as long', () => {
    const link = (now: number) => (now < 600 ? 1 : 100)
    const seen = changes({ link, ms: 4_000 })
    expect(seen.at(-1)!.leads).not.toBe('')
    expect(seen.filter(({ at }) => at > 2_000)).toEqual([])
  })

  it('become short again when messages are quick again', () => {
    const link = (now: number) => (now < 300 || now > 900 ? 1 : 20)
    const seen = changes({ link, crash: '2000ms a', ms: 2_600 })
    const end = seen.find(({ at, leads }) => at > 2_000 && leads !== '')
    expect(end!.at - 2_000).toBeLessThan(40)
  })
})
