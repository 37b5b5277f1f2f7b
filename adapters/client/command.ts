import type { Subscriber } from 'rxjs'
import { RaftError } from '../../lib/errors.ts'
import { SessionExpired } from '../../lib/sessions.ts'
import type { Index, Term } from '../../lib/types.ts'
import { ASK } from './codes.ts'
import type { Job } from './courier.ts'
import type { OwnSession } from './session.ts'
import type { Sheaf } from './sheaf.ts'

/** What came of a command: its entry, and what the state machine answered. */
export interface Proposed<R> {
  readonly index: Index
  readonly term: Term
  readonly result: R
}

type End<R> = Proposed<R> | RaftError

/** A command that is applied once, however often it is sent, and whoever waits for it. */
export class Command<R> implements Job {
  session: OwnSession | undefined
  isQueued = false
  isUnderWay = false
  refusal: RaftError | undefined
  #sequence = -1
  /** An attempt may have taken effect, or may yet. */
  #isInDoubt = false
  #isExpired = false
  #end: End<R> | undefined
  #waiting: Subscriber<Proposed<R>>[] = []

  constructor(private readonly bytes: Uint8Array) {}

  get isWanted(): boolean {
    return this.#waiting.length > 0
  }

  get outcome(): 'none' | 'unknown' {
    return this.#isInDoubt ? 'unknown' : 'none'
  }

  /** Whether somebody has to send it. */
  join(subscriber: Subscriber<Proposed<R>>): boolean {
    if (this.#end !== undefined) {
      give(subscriber, this.#end)
      return false
    }
    this.#waiting.push(subscriber)
    return !this.isUnderWay && !this.isQueued
  }

  leave(subscriber: Subscriber<Proposed<R>>): void {
    if (this.#waiting.length === 0) return
    this.#waiting = this.#waiting.filter((it) => it !== subscriber)
  }

  /** Gets a name, if it has none. Whether it has one now. */
  name(session: OwnSession): boolean {
    if (this.session !== undefined) return true
    const sequence = session.draw(this)
    if (sequence < 0) return false
    this.session = session
    this.#sequence = sequence
    return true
  }

  write(sheaf: Sheaf, id: number): void {
    sheaf.item(ASK.propose, id, 8)
    sheaf.u53(this.#sequence)
    sheaf.piece(this.bytes)
  }

  /** Nobody waits for it, and it is not sent again. */
  rest(): void {
    if (!this.#isInDoubt) this.#release()
  }

  /** For {@link OwnSession}. */
  giveUp(): boolean {
    if (this.isUnderWay || this.isQueued || this.isWanted) return false
    this.#end = new SessionExpired(this.session?.index ?? 0, 'unknown')
    return true
  }

  /** It was sent, and no answer will come. */
  lost(): void {
    this.isUnderWay = false
    this.#isInDoubt = true
  }

  applied(result: unknown, index: Index, term: Term): void {
    this.#finish({ index, term, result: result as R })
  }

  /** Whether it is to be sent again. */
  failed(error: RaftError): boolean {
    this.isUnderWay = false
    if (error instanceof SessionExpired) return this.#expired(error)
    if (error.outcome === 'unknown') this.#isInDoubt = true
    else this.refusal = error
    if (error.retryable || error.outcome === 'unknown') return true
    this.#finish(error)
    return false
  }

  /** Tells everybody, once and for good. What certainly had no effect may be tried again. */
  fail(error: RaftError): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const subscriber of waiting) subscriber.error(error)
  }

  /** The log came upon it too late. Where no attempt before could succeed, another session helps. */
  #expired({ session }: SessionExpired): boolean {
    if (this.#isInDoubt || this.#isExpired) {
      this.#finish(new SessionExpired(session, this.outcome))
      return false
    }
    this.#isExpired = true
    this.#release()
    return true
  }

  #finish(end: End<R>): void {
    this.isUnderWay = false
    this.#end = end
    this.#release()
    const waiting = this.#waiting
    this.#waiting = []
    for (const subscriber of waiting) give(subscriber, end)
  }

  #release(): void {
    this.session?.release(this.#sequence)
    this.session = undefined
  }
}

function give<R>(subscriber: Subscriber<Proposed<R>>, end: End<R>): void {
  if (end instanceof RaftError) return subscriber.error(end)
  subscriber.next(end)
  subscriber.complete()
}
