import type { Subscriber, Unsubscribable } from 'rxjs'
import type { RaftError } from '../../lib/errors.ts'
import type { Deadlines, Expiring } from '../../operators/engine/deadlines.ts'
import type { Command, Proposed, Waiting } from './command.ts'
import type { Courier } from './courier.ts'

/** Somebody who waits for what comes of a command, for so long, and makes something of it. One object for all of that. */
export class Hearer<R, T> implements Waiting<R>, Expiring, Unsubscribable {
  readonly #limit: Unsubscribable

  constructor(
    private readonly job: Command<R>,
    private readonly courier: Courier,
    private readonly subscriber: Subscriber<T>,
    private readonly project: (proposed: Proposed<R>) => T,
    private readonly timeout: number,
    deadlines: Deadlines,
  ) {
    this.#limit = deadlines.set(timeout, this)
    const refusal = job.join(this) ? courier.submit(job) : undefined
    if (refusal !== undefined) subscriber.error(refusal)
  }

  applied(proposed: Proposed<R>): void {
    let made: T
    try {
      made = this.project(proposed)
    } catch (error) {
      return this.subscriber.error(error)
    }
    this.subscriber.next(made)
    this.subscriber.complete()
  }

  failed(error: RaftError): void {
    this.subscriber.error(error)
  }

  expire(): void {
    this.subscriber.error(this.courier.late(this.job, this.timeout))
  }

  unsubscribe(): void {
    this.#limit.unsubscribe()
    this.job.leave(this)
  }
}
