import { asyncScheduler, type SchedulerLike } from 'rxjs'

/** Real time, by a clock that never jumps: the default of everything that waits. */
export const monotonic: SchedulerLike = {
  now: () => performance.now(),
  schedule: asyncScheduler.schedule.bind(asyncScheduler),
}
