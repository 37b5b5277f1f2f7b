import { describe, expect, it } from 'vitest'
import { Cluster } from './bench/cluster.ts'
import { append, ask, askAhead, heartbeat, vote, voteAhead } from './bench/messages.ts'
import { candidate, follower, leader, messagesOf, precandidate } from './bench/server.ts'

describe('whether a log is up-to-date', () => {
  // Every pair of small logs, and both orders of the names, against the sentence in the paper.
  const ends = [
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 1],
    [2, 2],
    [3, 2],
    [4, 2],
    [3, 3],
  ] as const
  const logs = [[], [1], [1, 1], [1, 1, 1], [1, 2], [1, 1, 2], [1, 1, 1, 2], [1, 2, 3]]

  it.each(['b', 'c'])(
    'last term first, then last index, never the name of the candidate: %s asks [bug 10][bug 66]',
    (from) => {
      for (const [lastIndex, lastTerm] of ends) {
        for (const log of logs) {
          const server = follower({ id: from === 'b' ? 'c' : 'b', log, term: 5 })
          const ownTerm = log.at(-1) ?? 0
          const expected = lastTerm > ownTerm || (lastTerm === ownTerm && lastIndex >= log.length)
          server.receive(from, ask(6, lastIndex, lastTerm))
          expect(server.state.vote === from, `${lastIndex}@${lastTerm} against ${log}`).toBe(
            expected,
          )
        }
      }
    },
  )

  it('index and term are not confused: a log of many early entries loses to one late entry [bug 66]', () => {
    const server = follower({ log: [7], term: 7 })
    server.receive('b', ask(8, 9, 1))
    expect(server.state.vote).toBeUndefined()
    server.receive('b', ask(8, 1, 7))
    expect(server.state.vote).toBe('b')
  })
})

describe('votes', () => {
  it('a vote stays until the term ends, whatever arrives [bug 69]', () => {
    const server = follower({ term: 3, vote: 'b', log: [1] })
    server.receive('c', ask(3, 9, 2))
    server.receive('c', append(3, [1, 1]))
    server.receive('c', heartbeat(3))
    server.receive('c', ask(2, 9, 2))
    server.take({ type: 'electionTimeout' })
    server.receive('c', voteAhead(3, false))
    expect(server.state).toMatchObject({ term: 3, vote: 'b' })
    expect(messagesOf(server.receive('c', ask(3, 9, 2)))).toEqual([vote(3, false)])
  })

  it('a vote survives a restart [bug 7][bug 69]', () => {
    const cluster = new Cluster('abc', { preVote: false })
    cluster.timeout('a')
    cluster.save('a')
    cluster.deliver()
    cluster.save('b')
    for (const { id } of cluster.servers) cluster.crash(id)
    for (const { id } of cluster.servers) cluster.restart(id)
    expect(cluster.server('b').state).toMatchObject({ term: 1, vote: 'a' })
    cluster.drop()
    cluster.hand({ from: 'c', to: 'b', message: ask(1) })
    expect(cluster.wire.map(({ message }) => message)).toEqual([vote(1, false)])
  })

  it('each voter counts once, however often it says yes [bug 66]', () => {
    const server = candidate({ voters: 'abcde' })
    for (let i = 0; i < 5; i++) server.receive('b', vote(1))
    expect(server.role).toBe('candidate')
    server.receive('c', vote(1))
    expect(server.role).toBe('leader')
  })

  it('an election starts with an empty tally: yeses of the one before do not count [bug 66]', () => {
    const server = candidate({ voters: 'abcde' })
    server.receive('b', vote(1))
    server.take({ type: 'electionTimeout' })
    for (const id of ['c', 'd']) server.receive(id, voteAhead(2))
    server.save()
    expect(server.role).toBe('candidate')
    server.receive('c', vote(1))
    server.receive('d', vote(2))
    expect(server.role).toBe('candidate')
  })

  it('yeses to a question in advance do not elect', () => {
    const server = candidate({ voters: 'abcde' })
    for (const id of ['b', 'c', 'd', 'e']) server.receive(id, voteAhead(1))
    expect(server.role).toBe('candidate')
  })

  it('a real vote is no answer to a question in advance', () => {
    const server = precandidate({ term: 3 })
    server.receive('b', vote(3))
    expect(server.role).toBe('precandidate')
  })

  it('a yes to a question of an earlier term does not start a campaign', () => {
    const server = precandidate({ voters: 'abcde', term: 3 })
    server.receive('b', voteAhead(4))
    server.receive('c', voteAhead(3))
    server.receive('d', voteAhead(9))
    expect(server.role).toBe('precandidate')
    expect(server.state.term).toBe(3)
  })

  it('when a majority refuses, the election is over before its timeout', () => {
    const server = candidate()
    server.receive('b', vote(1, false))
    expect(server.role).toBe('candidate')
    server.receive('c', vote(1, false))
    expect(server.role).toBe('follower')
  })

  it('who is not a voter neither campaigns nor is counted', () => {
    const outsider = follower({ id: 'z' })
    expect(outsider.take({ type: 'electionTimeout' }).send).toEqual([])
    expect(outsider.role).toBe('follower')
    const server = candidate()
    server.receive('z', vote(1))
    expect(server.role).toBe('candidate')
    expect(server.state.dropped).toBe(1)
  })
})

describe('asking in advance (thesis §9.6)', () => {
  it.each([
    ['follower', follower({ term: 3, vote: 'c', log: [1] })],
    ['precandidate', precandidate({ term: 3, vote: 'c', log: [1] })],
    ['candidate', candidate({ term: 2, log: [1] })],
    ['leader', leader({ term: 2, log: [1] })],
  ])('neither the question nor a yes moves term or vote of a %s [bug 42]', (_, server) => {
    const { term, vote: voted, log } = server.state
    for (const asked of [2, 3, 4, 5, 99]) {
      expect(server.receive('b', askAhead(asked, 9, 3)).save).toBeUndefined()
      // The yes for which a precandidate waits would begin its campaign.
      const isAwaited = server.role === 'precandidate' && asked === term + 1
      if (!isAwaited) expect(server.receive('b', voteAhead(asked)).save).toBeUndefined()
    }
    expect(server.state).toMatchObject({ term, vote: voted, log })
  })

  it('several may hear yes at once: the answer spends no vote', () => {
    const server = follower({ term: 1 })
    expect(messagesOf(server.receive('b', askAhead(2)))).toEqual([voteAhead(2)])
    expect(messagesOf(server.receive('c', askAhead(2)))).toEqual([voteAhead(2)])
  })

  it('a candidate answers the question of another, of its own term or the next one [bug 41]', () => {
    const server = candidate({ term: 1 })
    expect(messagesOf(server.receive('b', askAhead(2, 5, 1)))).toEqual([voteAhead(2, false)])
    expect(messagesOf(server.receive('b', askAhead(3, 5, 1)))).toEqual([voteAhead(3)])
  })

  it('one stuck candidate and one with the longer log that asks in advance end with a leader [bug 41]', () => {
    const cluster = new Cluster('abc', {}, { a: [1], b: [1, 1], c: [1, 1] })
    cluster.timeout('a')
    cluster.settle('c')
    cluster.crash('c')
    cluster.elect('b')
  })

  it('a long log of an early term and a short log of a late term find a leader together [bug 39]', () => {
    const cluster = new Cluster('abc', {}, { a: [1, 1, 1, 1], b: [1], c: [1] })
    cluster.server('b').disk.ballot = { term: 8, vote: 'c' }
    cluster.crash('b')
    cluster.restart('b')
    cluster.crash('c')
    let attempts = 0
    while (cluster.server('a').role !== 'leader' && attempts++ < 3) {
      cluster.timeout('b')
      cluster.settle()
      cluster.timeout('a')
      cluster.settle()
    }
    expect(cluster.server('a').role).toBe('leader')
    expect(cluster.server('a').state.term).toBeGreaterThan(8)
  })

  it.each(['a', 'c'])(
    'with the option set on %s only, a server that stayed behind in an early term still elects with the others [bug 40]',
    (asking) => {
      const cluster = new Cluster('abc')
      for (const server of cluster.servers) {
        Object.assign(server.config, { preVote: server.id === asking })
      }
      cluster.elect('a')
      for (const id of ['b', 'a', 'b']) cluster.elect(id, 'c')
      cluster.crash('b')
      cluster.pass(200)
      let attempts = 0
      const isLed = () =>
        cluster.servers.some(({ id, role }) => cluster.isUp(id) && role === 'leader')
      while (!isLed() && attempts++ < 4) {
        cluster.timeout(attempts % 2 ? 'c' : 'a')
        cluster.settle()
      }
      expect(isLed()).toBe(true)
    },
  )

  it('a server cut off asks for ever and raises no term, so it unseats nobody when it returns', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    for (let i = 0; i < 5; i++) {
      cluster.timeout('c')
      cluster.settle('c')
    }
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.server('a').role).toBe('leader')
    expect(cluster.server('c').state.term).toBe(1)
  })

  it('without the option a timeout campaigns at once, and alone there is nobody to ask', () => {
    expect(candidate({ preVote: false }).state.term).toBe(1)
    const alone = follower({ voters: 'a' })
    alone.take({ type: 'electionTimeout' })
    expect(alone.role).toBe('candidate')
  })
})

describe('loyalty to a leader that is heard (thesis §4.2.3)', () => {
  const heard = (options = {}) => {
    const server = follower({ term: 1, ...options })
    server.receive('b', heartbeat(1))
    return server
  }

  it('within the shortest election timeout a vote for a later term is neither given nor answered', () => {
    const server = heard()
    server.now += 99
    expect(server.receive('c', ask(5)).send).toEqual([])
    expect(server.state.term).toBe(1)
    server.now += 1
    server.receive('c', ask(5))
    expect(server.state).toMatchObject({ term: 5, vote: 'c' })
  })

  it('a question in advance is refused meanwhile', () => {
    const server = heard()
    expect(messagesOf(server.receive('c', askAhead(2)))).toEqual([voteAhead(1, false)])
    server.now += 100
    expect(messagesOf(server.receive('c', askAhead(2)))).toEqual([voteAhead(2)])
  })

  it('the leader itself is heard out when it asks: it leads no longer [bug 45]', () => {
    const server = heard()
    expect(messagesOf(server.receive('b', askAhead(2)))).toEqual([voteAhead(2)])
    server.receive('b', ask(2))
    expect(server.state).toMatchObject({ term: 2, vote: 'b' })
  })

  it('a leader that has just heard a quorum is loyal to itself, one that has not gives way', () => {
    const server = leader({ voters: 'abcde' })
    server.now += 99
    server.receive('b', { type: 'heartbeatReply', term: 1, round: 0 })
    expect(server.receive('d', ask(2, 9, 1)).send).toEqual([])
    server.now += 1
    server.receive('d', ask(2, 9, 1))
    expect(server.state).toMatchObject({ term: 2, vote: 'd' })
    expect(server.role).toBe('follower')
  })

  it('who has just started, or asks itself, is loyal to nobody', () => {
    expect(messagesOf(follower().receive('c', askAhead(1)))).toEqual([voteAhead(1)])
    expect(messagesOf(precandidate().receive('c', askAhead(1)))).toEqual([voteAhead(1)])
  })
})

describe('a leader cut off from its quorum (thesis §6.2)', () => {
  const timeout = { type: 'quorumTimeout' } as const

  it('steps down in its term after the longest election timeout, and its own reads are told [bug 71]', () => {
    const server = leader({ voters: 'abcde' })
    server.now += 100
    server.receive('b', { type: 'heartbeatReply', term: 1, round: 0 })
    server.take({ type: 'read', ticket: 5 })
    server.now += 100
    expect(server.take(timeout).answers).toEqual([
      { type: 'unreadable', ticket: 5, leader: undefined },
    ])
    expect(server.role).toBe('follower')
    expect(server.state).toMatchObject({ term: 1, vote: 'a', contact: server.now })
  })

  it('steps down at the moment for which its timer was set, however that is rounded', () => {
    const server = leader({ voters: 'abc', electionTimeoutMax: 300 })
    server.now = 212.3
    server.receive('b', { type: 'heartbeatReply', term: 1, round: 0 })
    server.receive('c', { type: 'heartbeatReply', term: 1, round: 0 })
    server.now += 300
    expect(server.now - 212.3).toBeLessThan(300)
    server.take(timeout)
    expect(server.role).toBe('follower')
  })

  it('goes on while a quorum, itself among it, answers, even from one server of three', () => {
    const server = leader()
    for (let i = 0; i < 5; i++) {
      server.now += 199
      server.receive('b', { type: 'heartbeatReply', term: 1, round: 0 })
      server.take(timeout)
    }
    expect(server.role).toBe('leader')
  })

  it.each([
    ['an acknowledgement', { type: 'appended', term: 1, match: 0 }],
    ['a refusal', { type: 'rejected', term: 1, prevIndex: 0, hintIndex: 0, hintTerm: 0 }],
  ] as const)('%s is an answer as well', (_, message) => {
    const server = leader()
    server.now += 150
    server.receive('b', message)
    server.now += 100
    server.take(timeout)
    expect(server.role).toBe('leader')
  })

  it('without the option it never does, and for a single voter there is nothing to miss', () => {
    for (const server of [leader({ checkQuorum: false }), leader({ voters: 'a' })]) {
      server.now += 10_000
      server.take(timeout)
      expect(server.role).toBe('leader')
    }
  })

  it('a leader that has stepped down can lead again, and then takes in commands [bug 43]', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.pass(200)
    cluster.turn('a', timeout)
    expect(cluster.server('a').role).toBe('follower')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.settle()
    expect(cluster.committed('a').at(-1)).toMatchObject({ text: 'x', term: 2 })
  })
})

describe('the moment of election', () => {
  it('a new leader keeps its whole log, whatever it knew of commits [bug 36]', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.settle()
    expect(cluster.commitIndex('a')).toBe(2)
    expect(cluster.commitIndex('b')).toBe(1)
    cluster.crash('a')
    cluster.elect('b')
    expect(cluster.committed('b').map(({ text }) => text)).toEqual(['', 'x', ''])
  })

  it('entries that were being saved when it was elected are counted once they are saved', () => {
    const server = candidate({ voters: 'ab', log: [1] })
    server.receive('b', vote(2))
    expect(server.leader.firstIndex).toBe(2)
    server.receive('b', { type: 'appended', term: 2, match: 2 })
    expect(server.state.commitIndex).toBe(0)
    server.save()
    expect(server.state.commitIndex).toBe(2)
  })

  it('its first entry is empty, of its own term, and is sent at once', () => {
    const server = candidate({ log: [1, 1] })
    const step = server.receive('b', vote(2))
    expect(step.save?.batches).toMatchObject([{ index: 3, term: 2, kind: 'noop', count: 1 }])
    expect(messagesOf(step, 'b')).toMatchObject([{ prevIndex: 2, prevTerm: 1, batches: [{}] }])
  })
})
