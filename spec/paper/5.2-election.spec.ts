import { describe, expect, it } from 'vitest'
import { Cluster } from '../lib/bench/cluster.ts'
import { append, ask, askAhead, heartbeat, vote } from '../lib/bench/messages.ts'
import { candidate, follower, leader, messagesOf, precandidate } from '../lib/bench/server.ts'

describe('§5.2 followers', () => {
  it('§5.2 when servers start up, they begin as followers', () => {
    expect(follower().role).toBe('follower')
    expect(follower({ id: 'b', term: 3, vote: 'b', log: [1, 2, 3] }).role).toBe('follower')
  })

  it('§5.2 a server remains a follower as long as it receives valid requests from a leader or candidate: silence counts from the last one', () => {
    const server = follower({ term: 1 })
    server.now = 2_000
    server.receive('b', heartbeat(1))
    expect(server.state.contact).toBe(2_000)
    server.now = 2_100
    server.receive('b', append(1, [0, 0]))
    expect(server.state.contact).toBe(2_100)
    server.now = 2_300
    server.receive('c', ask(2))
    expect(server.state.contact).toBe(2_300)
  })

  it('§5.2 a stale leader, a refused candidate and a question in advance do not keep it waiting', () => {
    const server = follower({ term: 2, vote: 'c', log: [1] })
    const { contact } = server.state
    server.now += 50
    server.receive('b', heartbeat(1))
    server.receive('b', ask(2))
    server.receive('b', askAhead(3, 1, 1))
    expect(server.state.contact).toBe(contact)
  })

  it('§5.2 leaders send periodic heartbeats, which carry no log entries, to all followers', () => {
    const server = leader({ log: [1] })
    const step = server.take({ type: 'heartbeatTimeout' })
    expect(step.send.map(({ to, message }) => `${to} ${message.type}`)).toEqual([
      'b heartbeat',
      'c heartbeat',
    ])
  })

  it('§5.2 a follower that receives nothing for an election timeout begins an election; here it asks in advance whether it would win', () => {
    const server = follower({ term: 4, log: [1, 3] })
    const step = server.take({ type: 'electionTimeout' })
    const question = askAhead(5, 2, 3)
    expect(messagesOf(step)).toEqual([question, question])
    expect(step.save).toBeUndefined()
  })
})

describe('§5.2 candidates', () => {
  it('§5.2 to begin an election, a follower increments its current term and becomes a candidate', () => {
    const server = follower({ term: 4, preVote: false })
    server.take({ type: 'electionTimeout' })
    expect(server.role).toBe('candidate')
    expect(server.state.term).toBe(5)
  })

  it('§5.2 it votes for itself and asks the others in parallel; here both wait until its disk holds the vote', () => {
    const server = follower({ term: 4, log: [2], preVote: false })
    const step = server.take({ type: 'electionTimeout' })
    expect(step.save).toEqual({ type: 'save', sequence: 1, term: 5, vote: 'a', batches: [] })
    expect(step.send).toEqual([])
    const { send } = server.save()
    expect(send).toEqual([
      { from: 'a', to: 'b', message: ask(5, 1, 2) },
      { from: 'a', to: 'c', message: ask(5, 1, 2) },
    ])
  })

  it('§5.2 a candidate continues until it wins, another server leads, or time goes by', () => {
    const server = candidate({ voters: 'abcde', term: 1 })
    server.receive('b', vote(2, false))
    server.receive('c', vote(2))
    server.receive('d', { type: 'appended', term: 2, match: 0 })
    expect(server.role).toBe('candidate')
    server.receive('d', vote(2))
    expect(server.role).toBe('leader')
  })

  it.each([
    ['abc', 1],
    ['abcd', 2],
    ['abcde', 2],
    ['abcdef', 3],
    ['abcdefg', 3],
  ])(
    '§5.2 a candidate wins with the votes of a majority of the full cluster: of %s it needs %i besides its own',
    (voters, needed) => {
      const server = candidate({ voters })
      const others = [...voters].slice(1)
      for (const id of others.slice(0, needed - 1)) server.receive(id, vote(1))
      expect(server.role).toBe('candidate')
      server.receive(others[needed - 1]!, vote(1))
      expect(server.role).toBe('leader')
    },
  )

  it('§5.2 the votes must be for the same term', () => {
    const server = candidate({ voters: 'abcde', preVote: false })
    server.receive('b', vote(1))
    server.take({ type: 'electionTimeout' })
    server.save()
    expect(server.state.term).toBe(2)
    server.receive('c', vote(1))
    server.receive('d', vote(2))
    expect(server.role).toBe('candidate')
    server.receive('e', vote(2))
    expect(server.role).toBe('leader')
  })

  it('§5.2 each server votes for at most one candidate in a term, first come, first served', () => {
    const server = follower({ term: 1 })
    server.receive('b', ask(2))
    expect(messagesOf(server.receive('c', ask(2)))).toEqual([vote(2, false)])
    expect(messagesOf(server.save())).toEqual([vote(2)])
    expect(messagesOf(server.receive('b', ask(2)))).toEqual([vote(2)])
    expect(server.state.vote).toBe('b')
  })

  it('§5.2 once a candidate wins it announces itself to all of the other servers; here with the empty entry of its term', () => {
    const server = candidate({ term: 1, log: [1] })
    const step = server.receive('b', vote(2))
    expect(step.send.map(({ to, message }) => `${to} ${message.type} ${message.term}`)).toEqual([
      'b append 2',
      'c append 2',
    ])
  })
})

describe('§5.2 a candidate hears from another server that claims to be leader', () => {
  it.each([2, 3])(
    '§5.2 a candidate of term 2 that hears a leader of term %i returns to follower state',
    (term) => {
      for (const message of [append(term, [0, 0]), heartbeat(term)]) {
        const server = candidate({ term: 1 })
        server.receive('b', message)
        expect(server.role).toBe('follower')
        expect(server.state.role).toMatchObject({ leader: 'b' })
        expect(server.state.term).toBe(term)
      }
    },
  )

  it('§5.2 who asks in advance recognizes the leader of its own term as well', () => {
    const server = precandidate({ term: 2 })
    server.receive('b', append(2, [0, 0]))
    expect(server.state.role).toMatchObject({ type: 'follower', leader: 'b' })
  })

  it('§5.2 if the term is smaller, the candidate rejects the request and continues as candidate', () => {
    const server = candidate({ term: 1 })
    expect(messagesOf(server.receive('b', append(1, [0, 0])))).toEqual([
      { type: 'heartbeatReply', term: 2, round: 0 },
    ])
    expect(server.role).toBe('candidate')
  })
})

describe('§5.2 split votes', () => {
  it('§5.2 if many become candidates at the same time, no candidate may obtain a majority', () => {
    const cluster = new Cluster('abc', { preVote: false })
    for (const { id } of cluster.servers) cluster.timeout(id)
    cluster.settle()
    expect(cluster.servers.map(({ role }) => role)).not.toContain('leader')
  })

  it('§5.2 each candidate then times out and starts a new election in a new term', () => {
    const cluster = new Cluster('abc', { preVote: false })
    for (const { id } of cluster.servers) cluster.timeout(id)
    cluster.settle()
    cluster.timeout('b')
    cluster.settle()
    expect(cluster.server('b').role).toBe('leader')
    expect(cluster.server('b').state.term).toBe(2)
  })

  it('§5.2 each candidate restarts its election timeout at the start of an election', () => {
    const server = candidate({ term: 1 })
    server.now += 150
    server.take({ type: 'electionTimeout' })
    expect(server.state.contact).toBe(server.now)
  })

  it('§5.2 here a candidate that times out asks in advance again, so that a server cut off does not raise its term without end', () => {
    const server = candidate({ term: 1 })
    for (let i = 0; i < 5; i++) server.take({ type: 'electionTimeout' })
    expect(server.role).toBe('precandidate')
    expect(server.state.term).toBe(2)
  })
})
