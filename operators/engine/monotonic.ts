import { Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs'
import { LONGEST } from './deadlines.ts'

/** Real time, by a clock that never jumps and timers that never ring early: the default of everything that waits. */
export const monotonic: SchedulerLike = {
  now: () => performance.now(),
  schedule: <T>(work: Work<T>, delay?: number, state?: T) =>
    new Timer<T>(work).schedule(state, delay),
}

type Work<T> = (this: SchedulerAction<T>, state: T) => void

/** One timer of the system's each time: `asyncScheduler` has an interval for each, and clears it. */
class Timer<T> extends Subscription implements SchedulerAction<T> {
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly work: Work<T>) {
    super(() => clearTimeout(this.#timer))
  }

  schedule(state?: T, delay = 0): Subscription {
    clearTimeout(this.#timer)
    if (this.closed) return this
    // The system counts whole ms from a moment that may be almost one ms past.
    const ms = delay > 0 ? Math.min(delay + 1, LONGEST) : 0
    this.#timer = setTimeout(() => this.work(state as T), ms)
    return this
  }
}
