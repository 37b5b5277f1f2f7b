import { describe, expect, it } from 'vitest'
import { Cluster, carrying } from './bench/cluster.ts'

function led(voters: string, joiners = ''): Cluster {
  const it = new Cluster(voters, {}, {}, joiners)
  it.elect('a')
  return it
}

const outcomeOf = (it: Cluster, ticket: number): string | undefined => {
  const answer = it.answers.find((answer) => answer.ticket === ticket)
  return answer?.type === 'kept' ? answer.reason : answer?.type
}

describe('a leadership that is handed over (thesis §3.10)', () => {
  it('goes to the one that is named, at once, however loyal the others are', () => {
    const it = led('abc')
    const ticket = it.transfer('a', 'b')
    it.settle()
    expect([outcomeOf(it, ticket), it.server('b').role]).toEqual(['handedOver', 'leader'])
    expect(it.server('b').state.term).toBe(2)
  })

  it('goes to whoever has most when nobody is named', () => {
    const it = led('abc')
    it.propose('a', 'x')
    it.settle('b')
    it.transfer('a')
    it.settle('b')
    expect(it.server('c').role).toBe('leader')
  })

  it('waits until the successor has everything, and takes in nothing new meanwhile', () => {
    const it = led('abc')
    it.propose('a', 'x')
    it.transfer('a', 'b')
    const step = it.propose('a', 'y')
    expect(step.answers).toMatchObject([{ type: 'notLeader', leader: 'b' }])
    expect(it.wire.some(carrying('timeoutNow'))).toBe(false)
    it.settle()
    expect(it.server('b').role).toBe('leader')
    expect(it.committed('b').map(({ text }) => text)).toContain('x')
  })

  it('is given up after the longest election timeout, and writes go on [bug 72]', () => {
    const it = led('abc')
    const ticket = it.transfer('a', 'b')
    it.drop(carrying('timeoutNow'))
    it.pass(199)
    it.heartbeat('a')
    it.settle()
    expect(outcomeOf(it, ticket)).toBeUndefined()
    it.pass(1)
    it.heartbeat('a')
    it.settle()
    expect(outcomeOf(it, ticket)).toBe('late')
    expect(it.propose('a', 'z').answers).toMatchObject([{ type: 'accepted' }])
  })

  it('leaves nothing behind when the leader steps down meanwhile and is elected again [bug 43]', () => {
    const it = led('abc')
    const ticket = it.transfer('a', 'b')
    it.drop()
    it.pass(1_000)
    it.turn('a', { type: 'quorumTimeout' })
    expect(outcomeOf(it, ticket)).toBe('handedOver')
    it.elect('a')
    expect(it.propose('a', 'z').answers).toMatchObject([{ type: 'accepted' }])
  })

  it.each([
    ['a server that is none', 'z'],
    ['a learner', 'l'],
  ])('is refused towards %s', (_what, to) => {
    const it = led('abc', 'l')
    it.change('a', { learners: ['l'] })
    it.settle()
    expect(outcomeOf(it, it.transfer('a', to))).toBe('nobody')
  })

  it('is refused by a follower, towards one that is not heard, twice, and during a change', () => {
    const it = led('abc', 'd')
    expect(outcomeOf(it, it.transfer('b', 'c'))).toBe('notLeader')
    it.transfer('a', 'b')
    expect(outcomeOf(it, it.transfer('a', 'c'))).toBe('busy')
    const other = led('abc', 'd')
    other.change('a', { voters: ['d'] })
    expect(outcomeOf(other, other.transfer('a', 'b'))).toBe('busy')
    const alone = led('abc')
    alone.pass(500)
    expect(outcomeOf(alone, alone.transfer('a', 'b'))).toBe('nobody')
  })

  it('to the leader itself is done', () => {
    const it = led('abc')
    expect(outcomeOf(it, it.transfer('a', 'a'))).toBe('handedOver')
    expect(it.server('a').role).toBe('leader')
  })

  it('is not begun by anybody else: only the leader’s word makes a follower campaign', () => {
    const it = led('abc')
    it.hand({ from: 'c', to: 'b', message: { type: 'timeoutNow', term: 1 } })
    expect(it.server('b').role).toBe('follower')
    it.hand({ from: 'a', to: 'b', message: { type: 'timeoutNow', term: 0 } })
    expect(it.server('b').role).toBe('follower')
  })
})
