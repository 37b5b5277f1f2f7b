import { expect, it } from 'vitest'
import { aimOf } from '../../bench/contest.ts'
import { nameOf, traffics } from '../../bench/traffic.ts'

it('is every kind with every number of clients and both sizes, those of a size together', () => {
  const all = traffics(false)
  expect(new Set(all.map(nameOf)).size).toBe(3 * 5 * 2)
  const sizes = all.map(({ bytes }) => bytes)
  expect(sizes).toEqual([...sizes].sort((a, b) => a - b))
})

it('aims at what is asked for, with small values alone', () => {
  const put = { kind: 'put', clients: 256, bytes: 64 } as const
  expect(aimOf(put, 'throughput')).toEqual({ atLeast: 8 })
  expect(aimOf(put, 'p99')).toEqual({ atMost: 0.3 })
  expect(aimOf({ ...put, bytes: 4096 }, 'p99')).toBeUndefined()
  expect(aimOf({ ...put, clients: 64 }, 'p99')).toBeUndefined()
})
