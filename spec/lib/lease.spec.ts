import { describe, expect, it } from 'vitest'
import { Cluster } from './bench/cluster.ts'

/** A lease of 90 ms, where the shortest election timeout is 100. */
function led(): Cluster {
  const it = new Cluster('abc', { lease: 90 })
  it.pass(200)
  it.elect('a')
  it.heartbeat('a')
  it.settle()
  return it
}

const reads = (it: Cluster, id = 'a'): boolean => it.answerTo(it.read(id)) === 'readable'

describe('a lease (thesis §6.4.1)', () => {
  it('answers reads at once, without a message', () => {
    const it = led()
    expect(reads(it)).toBe(true)
    expect(it.wire).toEqual([])
  })

  it('lasts from the moment at which the pulse went out, not from its answer [F27]', () => {
    const it = new Cluster('abc', { lease: 90 })
    it.pass(200)
    it.elect('a')
    it.heartbeat('a')
    it.pass(60)
    it.settle()
    it.pass(29)
    expect(reads(it)).toBe(true)
    it.pass(1)
    expect(reads(it)).toBe(false)
  })

  it('is there only when a quorum has answered', () => {
    const it = led()
    it.pass(90)
    it.heartbeat('a')
    expect(reads(it)).toBe(false)
    it.settle()
    expect(reads(it)).toBe(true)
  })

  it('is void after a pause that is longer [bug 25]', () => {
    const it = led()
    it.pass(200)
    it.timeout('b')
    it.settle('a')
    it.propose('b', 'new')
    it.settle('a')
    expect(it.server('b').role).toBe('leader')
    expect(reads(it)).toBe(false)
  })

  it('is void from the moment at which the leadership is handed over [bug 24]', () => {
    const it = led()
    expect(reads(it)).toBe(true)
    it.transfer('a', 'b')
    expect(reads(it)).toBe(false)
    // Its successor is told and silent: the lease does not come back with the leadership that it kept.
    it.drop()
    it.pass(60)
    it.heartbeat('a')
    it.settle()
    it.pass(140)
    it.heartbeat('a')
    expect(reads(it)).toBe(false)
    it.settle()
    it.heartbeat('a')
    it.settle()
    // Nor later in this term: the word to the successor may still be on its way.
    expect(reads(it)).toBe(false)
  })

  it('does not begin before an entry of its own term is committed', () => {
    const it = new Cluster('abc', { lease: 90 })
    it.pass(200)
    it.lead('a')
    it.heartbeat('a')
    it.deliver(({ message }) => message.type === 'heartbeat')
    it.deliver(({ message }) => message.type === 'heartbeatReply')
    expect(reads(it)).toBe(false)
  })

  it('is kept by a voter that starts again and no longer knows what it has answered', () => {
    const it = led()
    it.crash('b')
    it.restart('b')
    it.pass(80)
    it.timeout('c')
    it.settle('a')
    expect(it.server('c').role).not.toBe('leader')
    expect(reads(it)).toBe(true)
    it.pass(20)
    it.timeout('c')
    it.settle('a')
    expect(it.server('c').role).toBe('leader')
    expect(reads(it)).toBe(false)
  })

  it('is nobody’s unless it is wanted [F27]', () => {
    const it = new Cluster('abc')
    it.elect('a')
    it.heartbeat('a')
    it.settle()
    expect(reads(it)).toBe(false)
  })
})
