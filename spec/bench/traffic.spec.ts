import { expect, it } from 'vitest'
import { aimOf } from '../../bench/contest.ts'
import { isPut, KEYS, keyOf, nameOf, traffics } from '../../bench/traffic.ts'

it('is every kind with every number of clients and both sizes, those of a size together', () => {
  const all = traffics({ isQuick: false, clients: [1, 16, 64, 256, 1000], bytes: [64, 4096] })
  expect(new Set(all.map(nameOf)).size).toBe(3 * 5 * 2)
  const sizes = all.map(({ bytes }) => bytes)
  expect(sizes).toEqual([...sizes].sort((a, b) => a - b))
})

it('is less for a first look, and what was asked for', () => {
  const all = traffics({ isQuick: true, clients: [7], bytes: [9] })
  expect(all.map(nameOf)).toEqual(['put 9 B, 7 clients', 'get 9 B, 7 clients'])
})

it('aims at what is asked for, with small values alone', () => {
  const put = { kind: 'put', clients: 256, bytes: 64 } as const
  expect(aimOf(put, 'throughput')).toEqual({ atLeast: 8 })
  expect(aimOf(put, 'p99')).toEqual({ atMost: 0.3 })
  expect(aimOf({ ...put, bytes: 4096 }, 'p99')).toBeUndefined()
  expect(aimOf({ ...put, clients: 64 }, 'p99')).toBeUndefined()
})

it('puts always, never, or once in ten turns', () => {
  const turns = Array.from({ length: 100 }, (_, turn) => turn)
  const puts = (kind: 'put' | 'get' | 'mix') =>
    turns.filter((turn) => isPut({ kind, clients: 1, bytes: 1 }, turn)).length
  expect([puts('put'), puts('get'), puts('mix')]).toEqual([100, 0, 10])
})

it('names as many keys as there are', () => {
  const names = Array.from({ length: 3 * KEYS }, (_, i) => keyOf(i))
  expect(new Set(names).size).toBe(KEYS)
})
