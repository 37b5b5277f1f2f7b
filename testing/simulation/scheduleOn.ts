import { Subscription, type SchedulerAction } from 'rxjs'
import type { Millis } from '../../lib/types.ts'

/** Whatever can run something after a while, and can be told not to. */
export interface Timers<T> {
  after(delay: Millis, run: () => void): T
  cancel(timer: T): void
}

/** `schedule` of a `SchedulerLike`, on top of timers: the action may schedule itself again. */
export function scheduleOn<T, Timer>(
  timers: Timers<Timer>,
  work: (this: SchedulerAction<T>, state: T) => void,
  delay: Millis,
  state: T,
): Subscription {
  let timer: Timer | undefined
  const cancel = (): void => {
    if (timer !== undefined) timers.cancel(timer)
    timer = undefined
  }
  const schedule = (next?: T, wait = 0): Subscription => {
    cancel()
    if (action.closed) return action
    timer = timers.after(Math.max(0, wait), () => {
      timer = undefined
      work.call(action, next as T)
    })
    return action
  }
  const action: SchedulerAction<T> = Object.assign(new Subscription(cancel), { schedule })
  schedule(state, delay)
  return action
}
