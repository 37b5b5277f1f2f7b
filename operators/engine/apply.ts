import { filter, map, type OperatorFunction, type SchedulerLike } from 'rxjs'
import type { Batch } from '../../lib/batch.ts'
import { lastIndexOf } from '../../lib/batch.ts'
import type { Event } from '../../lib/events.ts'
import type { AppliedBatch, Step } from '../../lib/turn.ts'
import { monotonic } from './monotonic.ts'

/**
 * Steps → what the application answered. Committed batches are applied in order, once each, and the
 * outcomes come back as an event.
 *
 * ```
 * steps    --s---t---u---     t commits nothing
 * apply    --s-------u---
 * ```
 *
 * Completes with the steps. Errors when `applyBatch` throws, which stops the node: an application's
 * reducer that throws is an outcome and does not.
 */
export function apply(
  applyBatch: (batch: Batch) => AppliedBatch,
  scheduler: SchedulerLike = monotonic,
): OperatorFunction<Step, Event> {
  return (steps) =>
    steps.pipe(
      filter(({ committed }) => committed.length > 0),
      map(({ committed }) => ({
        type: 'applied',
        at: scheduler.now(),
        index: lastIndexOf(committed.at(-1)!),
        batches: committed.map(applyBatch),
      })),
    )
}
