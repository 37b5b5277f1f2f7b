import { Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs'
import { monotonic } from './monotonic.ts'

/**
 * The end of a turn of the event loop, whatever the delay: as `asapScheduler`, without its queue, which every turn
 * would go through.
 */
export const microtasks: SchedulerLike = {
  now: () => monotonic.now(),
  schedule: <T>(work: Work<T>, _delay?: number, state?: T) =>
    new Microtask<T>(work).schedule(state),
}

type Work<T> = (this: SchedulerAction<T>, state: T) => void

const done = Promise.resolve()

class Microtask<T> extends Subscription implements SchedulerAction<T> {
  constructor(private readonly work: Work<T>) {
    super()
  }

  schedule(state?: T): Subscription {
    void done.then(() => {
      if (!this.closed) this.work(state as T)
    })
    return this
  }
}
