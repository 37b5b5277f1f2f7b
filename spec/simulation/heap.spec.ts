import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventHeap, type Task } from '../../testing/simulation/heap.ts'

type Action =
  | { readonly type: 'add'; readonly at: number }
  | { readonly type: 'take' }
  | { readonly type: 'remove'; readonly which: number }

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ type: fc.constant('add' as const), at: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ type: fc.constant('take' as const) }),
  fc.record({ type: fc.constant('remove' as const), which: fc.nat() }),
)

describe('the event heap', () => {
  it('takes the soonest first, and of one instant the first added, like a sorted array', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const heap = new EventHeap()
        const added: Task[] = []
        let sorted: Task[] = []
        for (const step of actions) {
          if (step.type === 'add') {
            const task = heap.add(step.at, () => undefined)
            added.push(task)
            sorted = [...sorted, task].sort((a, b) => a.at - b.at || a.order - b.order)
          } else if (step.type === 'take') {
            expect(heap.take()).toBe(sorted.shift())
          } else if (added.length > 0) {
            // Also one that was taken or removed before, which changes nothing.
            const task = added[step.which % added.length]!
            heap.remove(task)
            sorted = sorted.filter((other) => other !== task)
          }
          expect(heap.size).toBe(sorted.length)
          expect(heap.first).toBe(sorted[0])
        }
        while (sorted.length > 0) expect(heap.take()).toBe(sorted.shift())
      }),
      { seed: 1, numRuns: 300 },
    )
  })
})
