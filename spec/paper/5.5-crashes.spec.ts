import { describe, expect, it } from 'vitest'
import { carrying, Cluster } from '../lib/bench/cluster.ts'
import { entriesIn, logOf } from '../lib/bench/entries.ts'
import { append, ask, vote } from '../lib/bench/messages.ts'
import { follower, messagesOf } from '../lib/bench/server.ts'

describe('§5.5 follower and candidate crashes', () => {
  it('§5.5 requests to a crashed follower fail and are sent again without end; when it restarts, they succeed', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.crash('c')
    for (const text of ['x', 'y']) {
      cluster.propose('a', text)
      cluster.heartbeat('a')
      cluster.settle()
    }
    cluster.restart('c')
    expect(cluster.terms('c')).toEqual([1])
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.terms('c')).toEqual([1, 1, 1])
  })

  it('§5.5 a vote asked of a crashed server is asked again in the next election', () => {
    const cluster = new Cluster('abc')
    cluster.crash('b')
    cluster.crash('c')
    cluster.timeout('a')
    cluster.settle()
    expect(cluster.server('a').role).toBe('precandidate')
    cluster.restart('b')
    cluster.elect('a')
    expect(cluster.server('a').state.term).toBe(1)
  })

  it('§5.5 a candidate that crashes takes up nobody: it restarts as a follower with its vote', () => {
    const cluster = new Cluster('abc', { preVote: false })
    cluster.timeout('a')
    cluster.save('a')
    cluster.crash('a')
    cluster.restart('a')
    expect(cluster.server('a').role).toBe('follower')
    expect(cluster.server('a').state).toMatchObject({ term: 1, vote: 'a' })
  })

  it('§5.5 a follower that crashes after it has saved the entries and before it has answered receives them again', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.deliver()
    cluster.crash('b', 1)
    cluster.crash('c', 1)
    cluster.save('a')
    expect(cluster.commitIndex('a')).toBe(1)
    cluster.restart('b')
    cluster.restart('c')
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.commitIndex('a')).toBe(2)
    for (const { state } of cluster.servers) {
      expect(entriesIn(state.log).map(({ text }) => text)).toEqual(['', 'x'])
    }
  })

  it('§5.5 a voter that crashes after it has saved its vote and before it has answered gives the same answer again', () => {
    const cluster = new Cluster('abc', { preVote: false })
    cluster.timeout('a')
    cluster.save('a')
    const asked = cluster.take(carrying('requestVote'))
    for (const envelope of asked) cluster.hand(envelope)
    cluster.crash('b', 1)
    cluster.restart('b')
    for (const envelope of asked) cluster.hand(envelope)
    expect(cluster.wire.filter(({ from }) => from === 'b').map(({ message }) => message)).toEqual([
      vote(1),
    ])
    cluster.hand({ from: 'c', to: 'b', message: ask(1) })
    expect(cluster.wire.at(-1)).toEqual({ from: 'b', to: 'c', message: vote(1, false) })
  })

  it('§5.5 requests are idempotent: entries that are in the log already are ignored [bug 19]', () => {
    const server = follower({ log: [1, 1, 1, 1] })
    const step = server.receive('b', append(1, [1, 1], logOf([1, 1], 2)))
    expect(step.save).toBeUndefined()
    expect(messagesOf(step)).toEqual([{ type: 'appended', term: 1, match: 3 }])
    expect(server.state.log.lastIndex).toBe(4)
  })

  it('§5.5 every message of an election and of a replication may arrive twice', () => {
    const cluster = new Cluster('abc')
    cluster.timeout('a')
    cluster.propose('a', 'too early')
    for (let i = 0; i < 20; i++) {
      const sent = cluster.take()
      for (const envelope of [...sent, ...sent]) cluster.hand(envelope)
      for (const { id, disk } of cluster.servers) if (disk.pending.length > 0) cluster.save(id)
      if (i === 8) cluster.propose('a', 'x')
    }
    expect(cluster.server('a').role).toBe('leader')
    expect(cluster.committed('a').map(({ text }) => text)).toEqual(['', 'x'])
    expect(cluster.terms('b')).toEqual([1, 1])
  })
})
