import { Observable, type OperatorFunction, type SchedulerLike, type Subscription } from 'rxjs'
import type { Millis } from '../../lib/types.ts'
import { monotonic } from './monotonic.ts'

/** A timer may ring this many milliseconds late before its process counts as stalled. */
const SLACK = 5

/**
 * Rings when the deadline that the latest value sets has passed; `undefined` sets none. One timer,
 * armed again only when it rings or when the deadline moves forward: values cost nothing.
 *
 * ```
 * source     a---b-----------     each sets a deadline five frames ahead
 * alarm(…)   ---------x------
 * ```
 */
export function alarm<T>(
  deadline: (value: T) => Millis | undefined,
  scheduler: SchedulerLike = monotonic,
): OperatorFunction<T, Millis> {
  return (source) =>
    new Observable<Millis>((subscriber) => {
      let due: Millis | undefined
      let armed: Millis | undefined
      let timer: Subscription | undefined

      const arm = (at: Millis): void => {
        armed = at
        wait(at, at, false)
      }
      const wait = (until: Millis, at: Millis, isSecondLook: boolean): void => {
        timer?.unsubscribe()
        const delay = Math.max(0, Math.ceil(until - scheduler.now()))
        timer = scheduler.schedule(() => ring(at, isSecondLook), delay)
      }
      const ring = (at: Millis, isSecondLook: boolean): void => {
        const now = scheduler.now()
        // A stalled process finds its timers before its mail, which may well move the deadline.
        if (now - at > SLACK && !isSecondLook) return wait(now + 1, at, true)
        armed = undefined
        if (due === undefined) return
        if (now < due) return arm(due)
        due = undefined
        subscriber.next(now)
      }

      subscriber.add(() => timer?.unsubscribe())
      subscriber.add(
        source.subscribe({
          next: (value) => {
            due = deadline(value)
            if (due !== undefined && (armed === undefined || due < armed)) arm(due)
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      )
    })
}
