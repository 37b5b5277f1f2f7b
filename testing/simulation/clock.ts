import type { SchedulerAction, SchedulerLike, Subscription } from 'rxjs'
import type { Millis } from '../../lib/types.ts'
import { InvariantError } from '../../lib/errors.ts'
import { EventHeap, type Task } from './heap.ts'
import { scheduleOn } from './scheduleOn.ts'

/** Whatever happens so often at one instant goes round in a circle. */
const CIRCLE = 1_000_000

/**
 * Virtual time: a scheduler that jumps from one event to the next. RxJS's own sorts everything at each
 * insertion; this one keeps a heap. `schedule` with a delay of 0 runs at the same instant, after what is
 * already due at it, which is the end of a turn too.
 */
export class VirtualClock implements SchedulerLike {
  readonly #heap = new EventHeap()
  #now: Millis = 0
  #left = Infinity

  /** From now on no more than `events` happen: from then on `runUntil` throws. */
  limit(events: number): void {
    this.#left = events
  }

  now(): Millis {
    return this.#now
  }

  /** Runs `run` at the instant `at`, or now when that is over. */
  at(at: Millis, run: () => void): Task {
    return this.#heap.add(Math.max(at, this.#now), run)
  }

  after(delay: Millis, run: () => void): Task {
    return this.at(this.#now + delay, run)
  }

  cancel(task: Task): void {
    this.#heap.remove(task)
  }

  schedule<T>(
    work: (this: SchedulerAction<T>, state: T) => void,
    delay = 0,
    state?: T,
  ): Subscription {
    return scheduleOn(this, work, delay, state as T)
  }

  /**
   * Lets time pass until `end`: everything due by then happens, in order. Throws `InvariantError` when time
   * stands still, because what happens at one instant never comes to an end, and when more happens than may.
   */
  runUntil(end: Millis): void {
    let happened = 0
    for (let task = this.#heap.first; task !== undefined && task.at <= end;) {
      this.#heap.remove(task)
      happened = task.at > this.#now ? 0 : happened + 1
      if (happened > CIRCLE) throw new InvariantError(`time stands still at ${this.#now} ms`)
      if (--this.#left < 0) throw new InvariantError(`too much has happened by ${task.at} ms`)
      this.#now = task.at
      task.run()
      task = this.#heap.first
    }
    this.#now = Math.max(this.#now, end)
  }
}
