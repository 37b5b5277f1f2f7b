import { Observable, type OperatorFunction, type SchedulerLike, type Subscription } from 'rxjs'
import { lastIndexOf, type Batch } from '../../lib/batch.ts'
import type { Event } from '../../lib/events.ts'
import type { AppliedBatch, Step } from '../../lib/turn.ts'
import { Fifo } from '../fifo.ts'
import { monotonic } from './monotonic.ts'

/** After so many milliseconds of applying, heartbeats and messages have their turn. */
const SLICE = 10

/**
 * Steps → what the application answered. Committed batches are applied in order, once each, and the
 * outcomes come back as an event. A backlog, such as a whole log after a restart, is applied in slices
 * of some milliseconds, so that a leader keeps its pulse.
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
    new Observable<Event>((subscriber) => {
      const backlog = new Fifo<Batch>()
      let later: Subscription | undefined

      const work = (): void => {
        later = undefined
        const at = scheduler.now()
        const batches: AppliedBatch[] = []
        try {
          do batches.push(applyBatch(backlog.shift()!))
          while (backlog.length > 0 && scheduler.now() - at < SLICE)
        } catch (error) {
          return subscriber.error(error)
        }
        if (backlog.length > 0) later = scheduler.schedule(work)
        const index = lastIndexOf(batches.at(-1)!.batch)
        subscriber.next({ type: 'applied', at, index, batches })
      }

      subscriber.add(() => later?.unsubscribe())
      subscriber.add(
        steps.subscribe({
          next: ({ committed }) => {
            for (const batch of committed) backlog.push(batch)
            if (backlog.length > 0 && later === undefined) work()
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      )
    })
}
