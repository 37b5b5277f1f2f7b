import { describe, expect, it } from 'vitest'
import type { Term } from '../../lib/types.ts'
import { Cluster } from './bench/cluster.ts'
import { entriesOf, logOf } from './bench/entries.ts'
import { ask, askAhead, heartbeat, vote, voteAhead } from './bench/messages.ts'
import { follower, leader, messagesOf } from './bench/server.ts'

/** `id` restarts from a disk that has lost, or brought back, what it had called durable. */
function restartWith(cluster: Cluster, id: string, terms: readonly Term[]): void {
  cluster.crash(id)
  cluster.server(id).disk.log = entriesOf(logOf(terms))
  cluster.restart(id)
}

describe('a disk that has lost writes which it had called durable', () => {
  it('the follower learns of it from the next pulse, says so, and gets them again [bug 32][bug 34]', () => {
    const cluster = new Cluster('abc', {}, { a: [1, 1, 1], b: [1, 1, 1], c: [1, 1, 1] })
    cluster.elect('a')
    restartWith(cluster, 'b', [1])
    cluster.heartbeat('a')
    cluster.deliver()
    expect(cluster.commitIndex('b')).toBeLessThanOrEqual(1)
    cluster.settle()
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.terms('b')).toEqual([1, 1, 1, 2])
    expect(cluster.server('a').progress('b').match).toBe(4)
    expect(cluster.commitIndex('b')).toBe(4)
  })

  it('until it has them again it neither votes nor campaigns [bug 32]', () => {
    const server = follower({ log: [1], term: 2 })
    server.receive('b', heartbeat(2, 3))
    expect(server.state.lostIndex).toBe(3)
    server.now += 500
    expect(server.take({ type: 'electionTimeout' }).send).toEqual([])
    expect(messagesOf(server.receive('c', askAhead(3, 9, 2)))).toEqual([voteAhead(2, false)])
    server.receive('c', ask(3, 9, 2))
    expect(server.saveAll()).toEqual([])
    expect(server.state).toMatchObject({ term: 3, vote: undefined })
    server.receive('c', {
      type: 'append',
      term: 3,
      prevIndex: 1,
      prevTerm: 1,
      batches: logOf([2, 2], 2),
      commit: 1,
    })
    server.saveAll()
    server.now += 500
    server.receive('b', ask(4, 9, 3))
    expect(server.saveAll()).toEqual([vote(4)])
  })

  it('a follower that refuses what it has acknowledged is no longer counted for it', () => {
    const server = leader({ log: [1, 1] })
    server.receive('b', { type: 'appended', term: 2, match: 3 })
    const { send } = server.receive('b', {
      type: 'rejected',
      term: 2,
      prevIndex: 3,
      hintIndex: 1,
      hintTerm: 1,
    })
    expect(send).toMatchObject([{ to: 'b', message: { prevIndex: 1, prevTerm: 1 } }])
    expect(server.progress('b').match).toBeLessThanOrEqual(1)
    expect(server.state.commitIndex).toBe(3)
  })
})
