import { asyncScheduler, type SchedulerLike } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'

/**
 * The clock that RxJS's schedulers share while `testScheduler.run()` runs; elsewhere `undefined`, for
 * they then ask the wall clock, which jumps. Only in `run()` is a column one millisecond.
 */
export const clockOfRun = (): SchedulerLike | undefined =>
  TestScheduler.frameTimeFactor === 1 ? asyncScheduler : undefined
