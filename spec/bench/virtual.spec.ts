import { expect, it } from 'vitest'
import { VirtualCluster } from '../../bench/virtual/cluster.ts'

it('elects within the longest timeout and some messages, again when the leader is gone', () => {
  const cluster = new VirtualCluster(0.5, 1)
  const first = cluster.elect()
  expect(first).toBeGreaterThan(150)
  expect(first).toBeLessThan(310)
  cluster.clock.runUntil(1000)
  const next = cluster.crashLeader()
  expect(next).toBeGreaterThan(50)
  expect(next).toBeLessThan(310)
  cluster.stop()
})
