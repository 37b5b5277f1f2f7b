import { expect, it } from 'vitest'
import { Pace } from '../../../adapters/storage/file/pace.ts'

/** Takes at least so many ms. */
const busy = (ms: number) => async (): Promise<string> => {
  const end = performance.now() + ms
  while (performance.now() < end) await Promise.resolve()
  return 'done'
}

it('rests for longer than the work took', async () => {
  const began = performance.now()
  expect(await new Pace().after(busy(10))).toBe('done')
  expect(performance.now() - began).toBeGreaterThanOrEqual(25)
})

it('rests for a moment after work that took none', async () => {
  const began = performance.now()
  await new Pace().after(() => Promise.resolve())
  expect(performance.now() - began).toBeGreaterThanOrEqual(4)
})

it('rests no more once there is a hurry', async () => {
  const pace = new Pace()
  let hasRested = false
  const rested = pace.after(busy(10)).then(() => (hasRested = true))
  pace.hurry()
  await rested
  expect(hasRested).toBe(true)
  expect(await pace.after(busy(1))).toBe('done')
})

it('hands on what the work throws', async () => {
  const fails = (): Promise<never> => Promise.reject(new Error('full'))
  await expect(new Pace().after(fails)).rejects.toThrow('full')
})
