import { describe, expect, it } from 'vitest'
import { DiskLost } from '../../lib/errors.ts'
import type { Term } from '../../lib/types.ts'
import { Cluster } from './bench/cluster.ts'
import { entriesOf, logOf } from './bench/entries.ts'

describe('a disk that brings back what was overwritten', () => {
  it.each<[string, readonly Term[]]>([
    ['fewer', [1, 2, 2]],
    ['as many', [1, 2, 2, 2]],
    ['more', [1, 2, 2, 2, 2]],
  ])('%s entries are not committed for those that overwrote them [bug 34]', (_, old) => {
    const cluster = new Cluster('abc', {}, { a: [1, 1, 1], b: old, c: [1, 1, 1] })
    for (let i = 0; i < 2; i++) {
      cluster.timeout('a')
      cluster.settle()
    }
    expect(cluster.terms('b')).toEqual([1, 1, 1, 3])
    expect(cluster.commitIndex('a')).toBe(4)
    cluster.crash('b')
    cluster.server('b').disk.log = entriesOf(logOf(old))
    cluster.restart('b')
    cluster.heartbeat('a')
    expect(() => cluster.settle()).toThrow(DiskLost)
    expect(cluster.committed('b')).toEqual([])
    expect(cluster.server('b').state.commitIndex).toBe(0)
  })
})
