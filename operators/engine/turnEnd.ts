import type { SchedulerLike, Subscription } from 'rxjs'

/** Runs `work` once at the end of a turn of the event loop, however often it was requested in it. */
export class TurnEnd {
  #isRequested = false
  #scheduled: Subscription | undefined

  constructor(
    private readonly work: () => void,
    private readonly scheduler: SchedulerLike,
  ) {}

  request(): void {
    if (this.#isRequested) return
    this.#isRequested = true
    this.#scheduled = this.scheduler.schedule(() => {
      // What the work itself requests, it finds before it ends.
      this.work()
      this.#isRequested = false
    })
  }

  cancel(): void {
    this.#scheduled?.unsubscribe()
  }
}
