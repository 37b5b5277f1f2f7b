import { map, Observable, type OperatorFunction, type SchedulerLike } from 'rxjs'
import type { Event } from '../../lib/events.ts'
import type { Save } from '../../lib/storage.ts'
import type { Step } from '../../lib/turn.ts'
import type { Storage } from '../adapters.ts'
import { monotonic } from './monotonic.ts'

/**
 * Steps → what is now on disk. Whatever a step wants saved goes through the storage; what the storage
 * says comes back as events, first of all what it restored.
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
      saves,
      storage,
      map((fact) => ({ ...fact, at: scheduler.now() })),
    )
}

const saves: OperatorFunction<Step, Save> = (steps) =>
  new Observable((subscriber) =>
    steps.subscribe({
      next: ({ save }) => {
        if (save !== undefined) subscriber.next(save)
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    }),
  )
