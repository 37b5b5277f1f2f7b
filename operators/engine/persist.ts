import { map, Observable, type OperatorFunction, type SchedulerLike } from 'rxjs'
import type { Event } from '../../lib/events.ts'
import type { DiskRequest } from '../../lib/storage.ts'
import type { Step } from '../../lib/turn.ts'
import type { Storage } from '../adapters.ts'
import { monotonic } from './monotonic.ts'

/**
 * Steps → what is now on disk. Whatever a step wants saved goes through the storage; what the storage
 * says comes back as events, first of all, but for notices, what it restored.
 *
 * ```
 * steps      --------s---t---u---     t saves nothing
 * storage    --R-------s---------u     takes its time
 * persist    --R-------s---------u
 * ```
 *
 * Errors when the storage does. Completes when it has acknowledged everything after the last step.
 */
export function persist(
  storage: Storage,
  scheduler: SchedulerLike = monotonic,
): OperatorFunction<Step, Event> {
  return (steps) =>
    steps.pipe(
      requests,
      storage,
      map((fact) => ({ ...fact, at: scheduler.now() })),
    )
}

const requests: OperatorFunction<Step, DiskRequest> = (steps) =>
  new Observable((subscriber) =>
    steps.subscribe({
      next: ({ save, disk }) => {
        if (save !== undefined) subscriber.next(save)
        for (const request of disk) subscriber.next(request)
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    }),
  )
