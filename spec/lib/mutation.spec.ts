import { foundingMembers } from '../../lib/members.ts'
import { describe, expect, it } from 'vitest'
import { reachedByQuorum } from '../../lib/quorum.ts'
import { logOf } from './bench/entries.ts'
import { append, ask, heartbeat } from './bench/messages.ts'
import { follower, leader, messagesOf, precandidate } from './bench/server.ts'

/** What only mutation testing found to be said by no test. */
describe('a message of a later term', () => {
  it('is followed though it acknowledges more than this log has: it is about another log', () => {
    const server = leader({ log: [1] })
    expect(server.state.term).toBe(2)
    server.receive('b', { type: 'appended', term: 3, match: 99 })
    expect(server.state).toMatchObject({ term: 3, dropped: 0, role: { type: 'follower' } })
  })

  it('of this term that acknowledges more than this log has is dropped', () => {
    const server = leader({ log: [1] })
    server.receive('b', { type: 'appended', term: 2, match: 99 })
    expect(server.state).toMatchObject({ term: 2, dropped: 1, role: { type: 'leader' } })
  })
})

describe('a committed entry', () => {
  it('that would be replaced is named', () => {
    const server = follower({ log: [1, 1, 1] })
    server.receive('b', append(1, [3, 1], [], 2))
    expect(server.state.commitIndex).toBe(2)
    const other = append(2, [1, 1], logOf([2], 2))
    expect(() => server.receive('c', other)).toThrow('entry 2 is committed and would be replaced')
  })
})

describe('an election', () => {
  it('that is refused does not put off the one of who refuses', () => {
    const server = follower({ log: [1, 1] })
    const { contact } = server.state
    server.now += 500
    server.receive('b', ask(2, 1, 1))
    expect(server.state).toMatchObject({ term: 2, vote: undefined, contact })
  })

  it('is not begun by who leads, however long nobody was heard', () => {
    const server = leader()
    server.now += 10_000
    expect(server.take({ type: 'electionTimeout' }).send).toEqual([])
    expect(server.role).toBe('leader')
  })

  it('that two have won is named', () => {
    const server = leader()
    expect(() => server.receive('b', heartbeat(1))).toThrow('b and a both lead in term 1')
  })
})

describe('several reads at once', () => {
  const reply = (ticket: number, index: number) =>
    ({ type: 'readIndexReply', term: 1, ticket, index }) as const

  it('of one follower are all noted, and all answered', () => {
    const server = leader({ voters: 'ab' })
    server.receive('b', { type: 'appended', term: 1, match: 1 })
    for (const ticket of [7, 8]) server.receive('b', { type: 'readIndex', term: 1, ticket })
    server.take({ type: 'heartbeatTimeout' })
    const { round } = server.leader
    const step = server.receive('b', { type: 'heartbeatReply', term: 1, round })
    expect(messagesOf(step)).toMatchObject([reply(7, 1), reply(8, 1)])
  })

  it('stay asked when another one is confirmed', () => {
    const server = follower({ log: [1] })
    server.receive('b', heartbeat(1))
    for (const ticket of [7, 8]) server.take({ type: 'read', ticket })
    server.receive('b', reply(7, 1))
    const again = { type: 'readIndex', term: 1, ticket: 8 }
    expect(messagesOf(server.receive('b', heartbeat(1)))).toContainEqual(again)
    expect(server.state.role).toMatchObject({ asked: [8] })
  })

  it('are answered each when its own index is applied', () => {
    const server = follower({ log: [1, 1] })
    server.receive('b', heartbeat(1))
    for (const ticket of [7, 8]) server.take({ type: 'read', ticket })
    server.receive('b', reply(7, 1), reply(8, 2))
    const answersAt = (index: number) =>
      server.take({ type: 'applied', index, batches: [] }).answers
    expect(answersAt(1)).toEqual([{ type: 'readable', ticket: 7 }])
    expect(answersAt(2)).toEqual([{ type: 'readable', ticket: 8 }])
  })

  it('of others are not told to this server’s own readers when it no longer leads', () => {
    const server = leader()
    server.receive('b', { type: 'readIndex', term: 1, ticket: 7 })
    server.take({ type: 'read', ticket: 8 })
    expect(server.receive('c', heartbeat(2)).answers).toEqual([
      { type: 'unreadable', ticket: 8, leader: undefined },
    ])
  })

  it('are none while it asks for votes, and so there is nothing to tell when that ends', () => {
    expect(precandidate().receive('b', heartbeat(1)).answers).toEqual([])
  })
})

describe('nobody', () => {
  it('reaches nothing', () => {
    expect(reachedByQuorum(foundingMembers([]), () => 1)).toBe(-Infinity)
  })
})
