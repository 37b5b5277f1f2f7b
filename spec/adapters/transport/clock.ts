import type { SchedulerLike } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'

/** Time that passes when it is told to. */
export interface Clock {
  readonly scheduler: SchedulerLike
  pass(ms: number): void
}

export function clock(): Clock {
  const scheduler = new TestScheduler(() => undefined)
  return {
    scheduler,
    pass: (ms) => {
      scheduler.maxFrames = scheduler.frame + ms
      scheduler.schedule(() => undefined, ms)
      scheduler.flush()
    },
  }
}
