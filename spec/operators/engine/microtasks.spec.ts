import { interval, take } from 'rxjs'
import { expect, it } from 'vitest'
import { microtasks } from '../../../operators/engine/microtasks.ts'

it('a microtask comes at the end of the turn, and not when it was taken back', async () => {
  const done: string[] = []
  microtasks.schedule((name) => done.push(name), 0, 'x')
  microtasks.schedule(() => done.push('y')).unsubscribe()
  expect(done).toEqual([])
  await Promise.resolve()
  expect(done).toEqual(['x'])
})

it('a microtask that asks for another gets one', async () => {
  const seen: number[] = []
  await interval(10, microtasks)
    .pipe(take(3))
    .forEach((i) => seen.push(i))
  expect(seen).toEqual([0, 1, 2])
})
