import { describe, expect, it } from 'vitest'
import type { Message } from '../../lib/messages.ts'
import { Cluster } from '../lib/bench/cluster.ts'
import { logOf } from '../lib/bench/entries.ts'
import { append, ask, heartbeat, vote, voteAhead } from '../lib/bench/messages.ts'
import { candidate, follower, leader, messagesOf, precandidate } from '../lib/bench/server.ts'

const roles = (cluster: Cluster) => cluster.servers.map(({ role }) => role)

describe('§5.1 roles', () => {
  it('§5.1 at any given time each server is leader, follower or candidate; here one may also be asking in advance', () => {
    expect(follower().role).toBe('follower')
    expect(precandidate().role).toBe('precandidate')
    expect(candidate().role).toBe('candidate')
    expect(leader().role).toBe('leader')
  })

  it('§5.1 in normal operation there is exactly one leader and all of the other servers are followers', () => {
    const cluster = new Cluster('abcde')
    cluster.elect('c')
    cluster.propose('c', 'x')
    cluster.settle()
    expect(roles(cluster)).toEqual(['follower', 'follower', 'leader', 'follower', 'follower'])
  })

  it('§5.1 followers are passive: without a request or a timeout of their own they say nothing', () => {
    const server = follower({ log: [1] })
    const steps = [
      server.take({ type: 'heartbeatTimeout' }),
      server.take({ type: 'quorumTimeout' }),
      server.take({ type: 'applied', index: 0, batches: [] }),
    ]
    expect(steps.flatMap(({ send }) => send)).toEqual([])
    expect(steps.every(({ save }) => save === undefined)).toBe(true)
  })

  it('§5.1 a client that contacts a follower is told who leads', () => {
    const cluster = new Cluster('abc')
    cluster.elect('b')
    cluster.propose('a', 'x')
    expect(cluster.answers.at(-1)).toMatchObject({ type: 'notLeader', leader: 'b' })
    expect(cluster.terms('a')).toEqual([1])
  })

  it('§5.1 servers send a request again when no answer comes in a timely manner', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.settle('b', 'c')
    expect(cluster.commitIndex('a')).toBe(1)
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.commitIndex('a')).toBe(2)
  })

  it('§5.1 servers issue their requests in parallel', () => {
    const server = leader()
    const { send } = server.take({ type: 'heartbeatTimeout' })
    expect(send.map(({ to }) => to)).toEqual(['b', 'c'])
  })
})

describe('§5.1 terms', () => {
  it('§5.1 terms are numbered with consecutive integers', () => {
    const cluster = new Cluster('abc')
    const terms = ['a', 'b', 'c', 'a'].map((id) => {
      cluster.elect(id)
      return cluster.server(id).state.term
    })
    expect(terms).toEqual([1, 2, 3, 4])
  })

  it('§5.1 each term begins with an election: asking in advance begins none', () => {
    const server = follower({ term: 4 })
    server.take({ type: 'electionTimeout' })
    expect(server.state.term).toBe(4)
    server.receive('b', voteAhead(5))
    expect(server.role).toBe('candidate')
    expect(server.state.term).toBe(5)
  })

  it('§5.1 a candidate that wins serves as leader for the rest of the term', () => {
    const server = leader({ log: [1, 1] })
    server.receive('c', vote(2, false))
    server.receive('b', ask(2, 9, 1))
    server.take({ type: 'electionTimeout' })
    expect(server.role).toBe('leader')
    expect(server.state.term).toBe(2)
  })

  it('§5.1 a split vote ends its term without a leader, and a new term begins with a new election', () => {
    const cluster = new Cluster('abcd', { preVote: false })
    for (const id of ['a', 'b']) {
      cluster.timeout(id)
      cluster.save(id)
    }
    cluster.deliver(({ from, to }) => `${from}${to}` === 'ac' || `${from}${to}` === 'bd')
    cluster.deliver(({ from, to }) => `${from}${to}` === 'ad' || `${from}${to}` === 'bc')
    cluster.settle()
    expect(roles(cluster)).not.toContain('leader')
    expect(cluster.servers.map(({ state }) => state.term)).toEqual([1, 1, 1, 1])
    cluster.elect('b')
    expect(cluster.server('b').state.term).toBe(2)
  })

  it('§5.1 there is at most one leader in a given term', () => {
    const cluster = new Cluster('abcde', { preVote: false })
    for (const id of ['a', 'b', 'c']) cluster.timeout(id)
    cluster.settle()
    const leaders = cluster.servers.filter(({ role }) => role === 'leader')
    expect(leaders.length).toBeLessThan(2)
    expect(new Set(cluster.servers.map(({ state }) => state.term))).toEqual(new Set([1]))
  })

  it('§5.1 a server may not observe an election or even entire terms', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a', 'c')
    cluster.elect('b', 'c')
    cluster.elect('a', 'c')
    expect(cluster.server('c').state.term).toBe(0)
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.server('c').state.term).toBe(3)
    expect(cluster.terms('c')).toEqual([1, 2, 3])
  })

  it('§5.1 the current term increases monotonically, also over a restart', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.elect('b')
    cluster.crash('a')
    cluster.restart('a')
    expect(cluster.server('a').state.term).toBe(2)
    cluster.server('a').receive('c', heartbeat(1))
    expect(cluster.server('a').state.term).toBe(2)
  })
})

describe('§5.1 terms are exchanged whenever servers communicate', () => {
  const term = 7
  const messages: readonly Message[] = [
    { type: 'requestVote', term, pre: false, handedOver: false, lastIndex: 0, lastTerm: 0 },
    { type: 'vote', term, pre: false, granted: false },
    { type: 'vote', term, pre: true, granted: false },
    { type: 'append', term, prevIndex: 0, prevTerm: 0, batches: [], commit: 0 },
    { type: 'appended', term, match: 0 },
    { type: 'rejected', term, prevIndex: 0, hintIndex: 0, hintTerm: 0 },
    { type: 'heartbeat', term, commit: 0, commitTerm: 0, round: 1 },
    { type: 'heartbeatReply', term, round: 0 },
    { type: 'readIndex', term, ticket: 1 },
    { type: 'readIndexReply', term, ticket: 1, index: 0 },
  ]

  it.each(messages)(
    '§5.1 a server whose term is smaller takes the larger one from $type (in advance: $pre)',
    (message) => {
      const server = follower({ term: 3 })
      const { save } = server.receive('b', message)
      expect(server.state.term).toBe(term)
      expect(save).toMatchObject({ term })
    },
  )

  it.each(messages)(
    '§5.1 a candidate that discovers from $type (in advance: $pre) that its term is out of date reverts to follower',
    (message) => {
      const server = candidate({ term: 3 })
      server.receive('b', message)
      expect(server.role).toBe('follower')
    },
  )

  it.each(messages)(
    '§5.1 a leader that discovers from $type (in advance: $pre) that its term is out of date reverts to follower; here a vote asked of one whom a quorum has just heard is no such discovery',
    (message) => {
      const server = leader({ term: 3 })
      server.receive('b', message)
      expect(server.role).toBe(message.type === 'requestVote' ? 'leader' : 'follower')
      server.now += 200
      server.receive('b', message)
      expect(server.role).toBe('follower')
    },
  )

  it('§5.1 a request with a stale term is rejected: a vote is refused in the present term', () => {
    const server = follower({ term: 3, vote: 'c' })
    expect(messagesOf(server.receive('b', ask(2, 9, 1)))).toEqual([vote(3, false)])
    expect(server.state.vote).toBe('c')
  })

  it('§5.1 a request with a stale term is rejected: entries are not taken and the sender learns the term', () => {
    const server = follower({ term: 3 })
    const step = server.receive('b', append(2, [0, 0], logOf([2])))
    expect(messagesOf(step)).toEqual([{ type: 'heartbeatReply', term: 3, round: 0 }])
    expect(step.save).toBeUndefined()
    expect(server.state.log.lastIndex).toBe(0)
  })
})
