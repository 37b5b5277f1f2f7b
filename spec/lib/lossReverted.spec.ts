import { describe, expect, it } from 'vitest'
import type { Term } from '../../lib/types.ts'
import { carrying, Cluster } from './bench/cluster.ts'
import { entriesOf, logOf } from './bench/entries.ts'

/** `id` restarts from a disk that has lost, or brought back, what it had called durable. */
function restartWith(cluster: Cluster, id: string, terms: readonly Term[]): void {
  cluster.crash(id)
  cluster.server(id).disk.log = entriesOf(logOf(terms))
  cluster.restart(id)
}

describe('a disk that brings back what was overwritten', () => {
  it('entries that were overwritten and have come back are not committed for those that overwrote them [bug 34]', () => {
    const cluster = new Cluster('abc', {}, { a: [1, 1, 1], b: [1, 2, 2], c: [1, 1, 1] })
    for (let i = 0; i < 2; i++) {
      cluster.timeout('a')
      cluster.settle()
    }
    expect(cluster.terms('b')).toEqual([1, 1, 1, 3])
    expect(cluster.commitIndex('a')).toBe(4)
    restartWith(cluster, 'b', [1, 2, 2])
    cluster.heartbeat('a')
    cluster.deliver()
    cluster.deliver(carrying('rejected'))
    // The next pulse overtakes the answer to the leader's new question.
    cluster.heartbeat('a')
    cluster.deliver(carrying('heartbeat'))
    cluster.settle()
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.terms('b')).toEqual([1, 1, 1, 3])
    expect(cluster.committed('b')).toEqual(cluster.committed('a'))
  })

  it('entries that were overwritten and have come back are not committed for those, also when they are as many that overwrote them [bug 34]', () => {
    const cluster = new Cluster('abc', {}, { a: [1, 1, 1], b: [1, 2, 2, 2], c: [1, 1, 1] })
    for (let i = 0; i < 2; i++) {
      cluster.timeout('a')
      cluster.settle()
    }
    expect(cluster.terms('b')).toEqual([1, 1, 1, 3])
    expect(cluster.commitIndex('a')).toBe(4)
    restartWith(cluster, 'b', [1, 2, 2, 2])
    cluster.heartbeat('a')
    cluster.deliver()
    cluster.deliver(carrying('rejected'))
    // The next pulse overtakes the answer to the leader's new question.
    cluster.heartbeat('a')
    cluster.deliver(carrying('heartbeat'))
    cluster.settle()
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.terms('b')).toEqual([1, 1, 1, 3])
    expect(cluster.committed('b')).toEqual(cluster.committed('a'))
  })
})
