import { expect, it } from 'vitest'
import { packed, Reducers } from '../../bench/lib/reducers.ts'
import { allocated, perSecond } from '../../bench/timing.ts'

it('three reducers elect a leader and commit all that is proposed, everywhere', () => {
  const reducers = new Reducers()
  const before = reducers.committed
  for (let i = 0; i < 10; i++) reducers.propose(packed(16))
  expect(reducers.committed).toBe(before + 160)
  expect(reducers.steps).toBeGreaterThan(10 * 5)
})

it('counts how often something can be done', () => {
  let times = 0
  const rate = perSecond(() => times++, 0.02)
  expect(rate).toBeGreaterThan(times * 40)
  expect(rate).toBeLessThanOrEqual(times * 50)
})

it('sees what is allocated, whether or not it is kept', () => {
  const bytes = allocated(() => new Array<number>(1000).fill(1.5), 21)
  expect(bytes).toBeGreaterThan(7_000)
  expect(bytes).toBeLessThan(40_000)
})
