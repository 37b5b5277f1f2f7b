import { Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs'
import type { Millis } from '../../lib/types.ts'

/** The clock of a process that can be stopped for a while: time goes on, and nothing runs. */
export class Pausable implements SchedulerLike {
  #until: Millis = 0

  constructor(private readonly clock: SchedulerLike) {}

  now(): Millis {
    return this.clock.now()
  }

  /** Nothing runs for so many ms from now on. */
  pause(ms: Millis): void {
    this.#until = this.now() + ms
  }

  /** How long nothing will run yet. */
  get rest(): Millis {
    return Math.max(0, this.#until - this.now())
  }

  schedule<T>(
    work: (this: SchedulerAction<T>, state: T) => void,
    delay = 0,
    state?: T,
  ): Subscription {
    const run = work as (state: T | undefined) => void
    const waiting = new Subscription()
    const wait = (ms: Millis): void => {
      waiting.add(this.clock.schedule(() => (this.rest > 0 ? wait(this.rest) : run(state)), ms))
    }
    wait(delay)
    return waiting
  }
}
