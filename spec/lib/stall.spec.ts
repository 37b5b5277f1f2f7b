import { describe, expect, it } from 'vitest'
import { carrying, Cluster } from './bench/cluster.ts'
import type { Options } from './bench/server.ts'
import { follower } from './bench/server.ts'

const STALL = 2_000

/** `a` leads, and an entry is on every disk but its own, which does not answer. */
function stalled(voters = 'abc', options: Options = {}): Cluster {
  const it = new Cluster(voters, { diskStall: STALL, ...options })
  it.elect('a')
  it.propose('a', 'x')
  others(it)
  return it
}

/** Everything is delivered and saved, but on the disk of `a`. */
function others(it: Cluster): void {
  for (let round = 0; round < 20; round++) {
    it.deliver()
    for (const { id, disk } of it.servers) if (id !== 'a' && disk.pending.length > 0) it.save(id)
  }
}

/** The leader's pulse goes out and is answered, `ms` later. */
function pulse(it: Cluster, ms: number): void {
  it.pass(ms)
  it.heartbeat('a')
  others(it)
}

describe('a leader whose disk stalls', () => {
  it('leads on until the limit, and then lets one of the others lead at once [F21]', () => {
    const it = stalled()
    pulse(it, STALL - 100)
    pulse(it, 99)
    expect(it.server('a').role).toBe('leader')
    it.pass(1)
    it.heartbeat('a')
    expect(it.server('a').role).toBe('follower')
    expect(it.wire.filter(carrying('timeoutNow'))).toHaveLength(1)
    others(it)
    expect(it.server('b').state).toMatchObject({ term: 2, role: { type: 'leader' } })
    expect(it.committed('b').map(({ text }) => text)).toContain('x')
  })

  it('has given its followers all it took in before it leaves', () => {
    const it = stalled()
    pulse(it, STALL - 100)
    it.pass(100)
    it.propose('a', 'y')
    expect(it.server('a').role).toBe('follower')
    others(it)
    expect(it.committed('b').map(({ text }) => text)).toContain('y')
  })

  it('counts from the oldest save that is not answered, not from the newest', () => {
    const it = stalled()
    pulse(it, STALL - 100)
    it.propose('a', 'y')
    others(it)
    it.save('a')
    pulse(it, 100)
    it.propose('a', 'z')
    others(it)
    expect(it.server('a').role).toBe('leader')
    pulse(it, STALL - 101)
    expect(it.server('a').role).toBe('leader')
    pulse(it, 1)
    expect(it.server('a').role).toBe('follower')
  })

  it('leads on while the others cannot commit without it [F21]', () => {
    const alone = stalled('a')
    alone.pass(10 * STALL)
    alone.heartbeat('a')
    expect(alone.server('a').role).toBe('leader')
    const two = stalled('ab')
    for (let i = 0; i < 30; i++) pulse(two, 100)
    expect(two.server('a').role).toBe('leader')
  })

  it('leads on for ever where the limit is Infinity', () => {
    const it = stalled('abc', { diskStall: Infinity })
    for (let i = 0; i < 100; i++) pulse(it, 100)
    expect(it.server('a').role).toBe('leader')
  })

  it('takes a change of members and a hand-over down with it', () => {
    const it = stalled()
    const change = it.change('a', { remove: ['c'] })
    pulse(it, STALL - 100)
    pulse(it, 100)
    expect(it.answerTo(change)).toBe('unchanged')
    const other = stalled()
    pulse(other, STALL - 100)
    const transfer = other.transfer('a', 'c')
    pulse(other, 100)
    expect(other.answerTo(transfer)).toBe('handedOver')
  })
})

describe('a server whose disk has stalled', () => {
  /** Term 1 is on its way to the disk. */
  function voting() {
    const server = follower({ diskStall: STALL })
    const request = { type: 'requestVote', term: 1, pre: false, handedOver: false } as const
    server.receive('b', { ...request, lastIndex: 0, lastTerm: 0 })
    return server
  }

  it('does not campaign before it answers [F21]', () => {
    const server = voting()
    server.now += STALL
    expect(server.take({ type: 'electionTimeout' }).send).toEqual([])
    expect(server.role).toBe('follower')
    server.save()
    server.now += 200
    server.take({ type: 'electionTimeout' })
    expect(server.role).toBe('precandidate')
  })

  it('campaigns as long as it may yet answer', () => {
    const server = voting()
    server.now += STALL - 1
    server.take({ type: 'electionTimeout' })
    expect(server.role).toBe('precandidate')
  })

  it('is no successor, even when a leader asks', () => {
    const server = voting()
    server.receive('b', { type: 'heartbeat', term: 1, commit: 0, commitTerm: 0, round: 1 })
    server.now += STALL
    server.receive('b', { type: 'timeoutNow', term: 1 })
    expect(server.role).toBe('follower')
  })
})
