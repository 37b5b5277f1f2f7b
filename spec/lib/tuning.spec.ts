import { describe, expect, it } from 'vitest'
import { measured, shortestPatience } from '../../lib/tuning.ts'
import { carrying, Cluster } from './bench/cluster.ts'
import { follower } from './bench/server.ts'

function tuned(voters = 'abc', isTuned = true): Cluster {
  const it = new Cluster(voters, { isTuned })
  it.elect('a')
  return it
}

/** A pulse goes out and is answered after `ms`. */
function pulse(it: Cluster, ms: number, ...cut: readonly string[]): void {
  it.pass(50)
  it.heartbeat('a')
  it.drop(({ from, to }) => cut.includes(from) || cut.includes(to))
  it.deliver()
  it.pass(ms)
  it.settle(...cut)
}

const tripOf = (it: Cluster, id: string) => {
  const { role } = it.server(id).state
  return role.type === 'follower' ? role.trip : undefined
}

describe('a round trip', () => {
  it('is what was measured first, and follows slowly', () => {
    const first = measured(undefined, 8)
    expect(first).toEqual({ mean: 8, deviation: 4 })
    expect(measured(first, 16)).toEqual({ mean: 9, deviation: 5 })
  })

  it('comes near to what it has been for long, and strays less and less', () => {
    let trip = measured(undefined, 100)
    for (let i = 0; i < 100; i++) trip = measured(trip, 10)
    expect(trip.mean).toBeCloseTo(10, 2)
    expect(trip.deviation).toBeCloseTo(0, 2)
  })
})

describe('a leader that times its pulses', () => {
  it('tells its followers with the next pulse, in whole ms that few round trips exceed', () => {
    const it = tuned()
    pulse(it, 4)
    expect(tripOf(it, 'b')).toBeUndefined()
    pulse(it, 4)
    expect([tripOf(it, 'b'), tripOf(it, 'c')]).toEqual([12, 12])
    for (let i = 0; i < 100; i++) pulse(it, 4)
    expect(tripOf(it, 'b')).toBe(5)
  })

  it('says nothing where nobody asked for it', () => {
    const it = tuned('abc', false)
    for (let i = 0; i < 5; i++) pulse(it, 4)
    expect(tripOf(it, 'b')).toBeUndefined()
    expect(it.server('a').progress('b').timing).toBeUndefined()
  })

  it('counts from the pulse whose answer was lost to the next answer', () => {
    const it = tuned()
    pulse(it, 4)
    it.heartbeat('a')
    it.drop()
    const before = it.server('a').progress('b').trip!.mean
    pulse(it, 4)
    expect(it.server('a').progress('b').trip!.mean).toBe(before + (54 - before) / 8)
  })

  it('takes an answer to an earlier pulse for none', () => {
    const it = tuned()
    pulse(it, 4)
    it.heartbeat('a')
    it.drop()
    const { round, term } = { round: it.server('a').leader.round - 1, term: 1 }
    const before = it.server('a').progress('b').trip
    it.hand({ from: 'b', to: 'a', message: { type: 'heartbeatReply', term, round } })
    expect(it.server('a').progress('b').trip).toBe(before)
  })

  /** The answer of `c` to one pulse comes after `ms`, that of `b` at once. */
  function straggle(it: Cluster, ms: number): void {
    it.heartbeat('a')
    it.deliver()
    it.deliver(({ from }) => from === 'b')
    it.pass(ms)
    it.settle()
  }

  it('goes by the slowest voter that it hears', () => {
    const it = tuned()
    for (let i = 0; i < 5; i++) pulse(it, 4)
    const near = tripOf(it, 'b')!
    straggle(it, 140)
    pulse(it, 0)
    expect(tripOf(it, 'b')).toBeGreaterThan(near + 100)
    for (let i = 0; i < 6; i++) pulse(it, 4, 'c')
    expect(tripOf(it, 'b')).toBeLessThanOrEqual(near)
  })

  it('takes none for longer than the longest election timeout', () => {
    const it = tuned()
    for (let i = 0; i < 5; i++) pulse(it, 4)
    const { mean } = it.server('a').progress('c').trip!
    straggle(it, 5_000)
    expect(it.server('a').progress('c').trip!.mean).toBe(mean + (200 - mean) / 8)
  })
})

describe('a follower', () => {
  const heard = (ms: number, options = {}) => {
    const server = follower({ isTuned: true, electionTimeoutMin: 40, ...options })
    server.receive('b', { type: 'heartbeat', term: 1, commit: 0, commitTerm: 0, round: 1 })
    server.receive('b', { type: 'roundTrip', term: 1, ms })
    return server.state
  }

  it('waits for two pulses and four round trips, between its bounds', () => {
    expect(shortestPatience(heard(15), 20, 150)).toBe(100)
    expect(shortestPatience(heard(0), 10, 150)).toBe(40)
    expect(shortestPatience(heard(1_000), 20, 150)).toBe(150)
  })

  it('waits as long as ever where it is not asked to be tuned, or has another leader', () => {
    expect(shortestPatience(heard(15, { isTuned: false }), 20, 150)).toBe(150)
    const server = follower({ isTuned: true })
    server.receive('b', { type: 'heartbeat', term: 1, commit: 0, commitTerm: 0, round: 1 })
    server.receive('c', { type: 'roundTrip', term: 1, ms: 15 })
    expect(shortestPatience(server.state, 20, 150)).toBe(150)
  })

  it('forgets what it was told when it campaigns, or hears of another term', () => {
    const it = tuned()
    for (let i = 0; i < 3; i++) pulse(it, 4)
    it.drop(carrying('roundTrip'))
    it.pass(1_000)
    it.timeout('b')
    expect(shortestPatience(it.server('b').state, 20, 150)).toBe(150)
    it.settle('a')
    expect(tripOf(it, 'c')).toBeUndefined()
  })
})
