import { describe, expect, it } from 'vitest'
import type { Index } from '../../lib/types.ts'
import { Cluster } from './bench/cluster.ts'
import { batchOf } from './bench/entries.ts'
import { append } from './bench/messages.ts'
import { follower, messagesOf } from './bench/server.ts'

const ten = (index: Index) => batchOf(index, 1, ['123456'])
const match = (index: Index) => ({ type: 'appended', term: 1, match: index }) as const

describe('a follower whose machine is slow', () => {
  it('takes what comes, and acknowledges no more until enough is applied [bug 52]', () => {
    const server = follower({ term: 1, maxUncommittedBytes: 15 })
    server.receive('b', append(1, [0, 0], [ten(1)], 1))
    expect(messagesOf(server.save(), 'b')).toEqual([match(1)])
    server.receive('b', append(1, [1, 1], [ten(2)], 2))
    expect(server.saveAll()).toEqual([])
    expect(server.state.log.lastIndex).toBe(2)
    const question = append(1, [2, 1], [], 2)
    expect(messagesOf(server.receive('b', question))).toEqual([])
    server.take({ type: 'applied', index: 1, batches: [] })
    expect(messagesOf(server.receive('b', question))).toEqual([match(2)])
  })

  it('acknowledges what is not committed, however much: it cannot be applied before', () => {
    const server = follower({ term: 1, maxUncommittedBytes: 15 })
    server.receive('b', append(1, [0, 0], [ten(1), ten(2), ten(3)], 0))
    expect(server.saveAll()).toEqual([match(3)])
  })

  it('does not count what is not committed towards what it is to apply', () => {
    const server = follower({ term: 1, maxUncommittedBytes: 15 })
    server.receive('b', append(1, [0, 0], [ten(1), ten(2), ten(3)], 1))
    expect(server.state).toMatchObject({ commitIndex: 1, appliedIndex: 0 })
    expect(server.saveAll()).toEqual([match(3)])
  })

  it('has no more in its log than the leader has on its way to it, and goes on when it can', () => {
    const limits = { maxUncommittedBytes: 100, maxInflightBytes: 50, maxAppendBytes: 20 }
    const cluster = new Cluster('ab', limits)
    cluster.elect('a')
    const moves = (): void => {
      cluster.deliver()
      for (const id of ['a', 'b'])
        while (cluster.server(id).disk.pending.length > 0) cluster.save(id)
      cluster.apply('a')
    }
    const bytes = (): number => 10 * cluster.server('b').state.log.lastIndex
    for (let i = 0; i < 100; i++) {
      cluster.propose('a', '123456')
      moves()
      if (i % 5 === 0) cluster.heartbeat('a')
    }
    expect(cluster.answers.some(({ type }) => type === 'overloaded')).toBe(true)
    expect(bytes()).toBeLessThan(100 + 100 + 50)
    for (let i = 0; i < 5; i++) {
      cluster.heartbeat('a')
      cluster.settle()
    }
    const { log } = cluster.server('a').state
    expect(cluster.server('b').state.appliedIndex).toBe(log.lastIndex)
  })
})
