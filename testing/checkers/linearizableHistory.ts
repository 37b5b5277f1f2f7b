import { isBounded } from './boundedReads.ts'
import { linearizable, type Operation } from './linearizability.ts'
import type { MakeChecker } from './observation.ts'

/**
 * What clients saw is explained by one order of their operations, each at one instant between its
 * invocation and its return. A history that is too wide to be decided has not passed.
 */
export const linearizableHistory: MakeChecker = (violate) => {
  const history = new Map<number, Operation>()
  // The order of the observations is finer than the time at which they were made.
  let order = 0
  return {
    name: 'linearizability',
    observe: (seen) => {
      order++
      // What may be old has a checker of its own.
      if (seen.type === 'invoked' && !isBounded(seen.request)) {
        const { client, operation, request } = seen
        const response = { type: 'unknown' } as const
        history.set(operation, { client, request, invoked: order, returned: undefined, response })
      }
      if (seen.type === 'returned') {
        const invoked = history.get(seen.operation)
        const { response } = seen
        if (invoked !== undefined) {
          history.set(seen.operation, { ...invoked, returned: order, response })
        }
      }
      if (seen.type !== 'ended') return
      const verdict = linearizable([...history.values()])
      if (verdict.type === 'linearizable') return
      violate(`${verdict.type} on key ${verdict.key}: ${verdict.message}`)
    },
  }
}
