import { Stopped } from '../../lib/errors.ts'
import { guarded } from './report.ts'

/** Somebody who waits for something to be done. */
export interface Order<T> {
  readonly done: (result: T) => void
  readonly fail: (error: Error) => void
}

/** What the node was asked to do, from the call to the answer, by ticket. */
export class Orders<W, T> {
  readonly #waiting = new Map<number, Order<T>>()
  #ticket = 0
  #stopped: Stopped | undefined

  constructor(private readonly raise: (ticket: number, what: W) => boolean) {}

  /** Asks. The returned function takes no more notice of the answer. */
  order(what: W, order: Order<T>): () => void {
    if (this.#stopped !== undefined) {
      order.fail(this.#stopped)
      return () => undefined
    }
    const ticket = this.#ticket++
    this.#waiting.set(ticket, order)
    if (!this.raise(ticket, what)) {
      this.#waiting.delete(ticket)
      order.fail(new Stopped('none'))
    }
    return () => this.#waiting.delete(ticket)
  }

  answered(ticket: number, result: T): void {
    this.#settle(ticket, (order) => order.done(result))
  }

  refused(ticket: number, error: Error): void {
    this.#settle(ticket, (order) => order.fail(error))
  }

  #settle(ticket: number, settle: (order: Order<T>) => void): void {
    const order = this.#waiting.get(ticket)
    this.#waiting.delete(ticket)
    if (order !== undefined) guarded(() => settle(order))
  }

  stop(cause?: unknown): void {
    if (this.#stopped !== undefined) return
    const stopped = new Stopped('unknown', cause === undefined ? undefined : { cause })
    this.#stopped = stopped
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const order of waiting) guarded(() => order.fail(stopped))
  }
}
