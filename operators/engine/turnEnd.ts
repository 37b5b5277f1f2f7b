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
      this.#isRequested = false
      this.work()
    })
  }

  cancel(): void {
    this.#scheduled?.unsubscribe()
  }
}
