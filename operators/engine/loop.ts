import {
  asapScheduler,
  Observable,
  Subject,
  tap,
  type OperatorFunction,
  type SchedulerLike,
} from 'rxjs'
import { TurnEnd } from './turnEnd.ts'

/**
 * Closes the circle: events go in, `body` scans them into steps, every feedback turns steps back into
 * events. The only place with Subjects, because it owns its queue:
 *
 * - events that arrive in one turn of the event loop reach `body` as one batch;
 * - one step is delivered to everybody, feedbacks first and the subscriber last, before the next begins;
 *   what is raised meanwhile waits for its turn;
 * - an event that is in no hurry after the latest step begins no batch: it waits for one that another begins;
 * - nothing moves until every wire is connected.
 *
 * ```
 * source     --a---b-----|
 * feedback   a → c            b → nothing
 * result     --(ac)b-----|     c waits for its turn: the step of a is delivered to everybody first
 * ```
 *
 * Completes when the source does, and everything inside stops. Errors when the source, `body` or a
 * feedback errors; a feedback that completes is done, and the others go on.
 */
export function loop<E, S>(
  body: OperatorFunction<readonly E[], S>,
  feedbacks: readonly OperatorFunction<S, E>[],
  isUnhurried: (event: E, latest: S) => boolean = () => false,
  scheduler: SchedulerLike = asapScheduler,
): OperatorFunction<E, S> {
  return (source) =>
    new Observable<S>((subscriber) => {
      const batches$ = new Subject<readonly E[]>()
      const steps$ = new Subject<S>()
      let queue: E[] = []
      let latest: S | undefined
      // What is raised before that waits for it, and what is raised in a flush is found by it.
      let isReady = false

      const flush = (): void => {
        isReady = false
        while (queue.length > 0 && !subscriber.closed) {
          const batch = queue
          queue = []
          batches$.next(batch)
        }
        isReady = true
      }
      const turnEnd = new TurnEnd(flush, scheduler)
      const enqueue = (event: E): void => {
        queue.push(event)
        if (!isReady || (latest !== undefined && isUnhurried(event, latest))) return
        turnEnd.request()
      }
      const take = { next: enqueue, error: (cause: unknown): void => subscriber.error(cause) }

      subscriber.add(() => turnEnd.cancel())
      for (const feedback of feedbacks) subscriber.add(feedback(steps$).subscribe(take))
      subscriber.add(steps$.subscribe(subscriber))
      const looped$ = body(batches$).pipe(tap((step) => (latest = step)))
      subscriber.add(looped$.subscribe(steps$))
      subscriber.add(source.subscribe({ ...take, complete: () => subscriber.complete() }))
      isReady = true
      turnEnd.request()
    })
}
