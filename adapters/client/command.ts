import { RaftError } from '../../lib/errors.ts'
import { SessionExpired } from '../../lib/sessions.ts'
import type { Index, Term } from '../../lib/types.ts'
import { ASK } from './codes.ts'
import type { Job, JobOwner } from './job.ts'
import type { OwnSession } from './session.ts'
import type { Sheaf } from './sheaf.ts'

/** What came of a command: its entry, and what the state machine answered. */
export interface Proposed<R> {
  readonly index: Index
  readonly term: Term
  readonly result: R
}

/** Who wants to hear what came of it. */
export interface Waiting<R> {
  applied(proposed: Proposed<R>): void
  failed(error: RaftError): void
}

type End<R> = Proposed<R> | RaftError

const NOBODY: readonly never[] = []

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
  #waiting: readonly Waiting<R>[] = NOBODY

  constructor(
    private readonly bytes: Uint8Array,
    private readonly owner: JobOwner,
  ) {}

  get isWanted(): boolean {
    return this.#waiting.length > 0
  }

  get outcome(): 'none' | 'unknown' {
    return this.#isInDoubt ? 'unknown' : 'none'
  }

  /** Whether somebody has to send it. */
  join(waiting: Waiting<R>): boolean {
    if (this.#end !== undefined) {
      give(waiting, this.#end)
      return false
    }
    this.#waiting = this.isWanted ? [...this.#waiting, waiting] : [waiting]
    return !this.isUnderWay && !this.isQueued
  }

  leave(waiting: Waiting<R>): void {
    if (this.isWanted) this.#waiting = this.#waiting.filter((it) => it !== waiting)
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
    this.owner.done()
  }

  failed(error: RaftError): void {
    if (this.#isForNow(error)) this.owner.refused(this)
    else this.owner.done()
  }

  /** Whether it is to be sent again. */
  #isForNow(error: RaftError): boolean {
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
    const all = this.#waiting
    this.#waiting = NOBODY
    for (const waiting of all) waiting.failed(error)
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
    const all = this.#waiting
    this.#waiting = NOBODY
    for (const waiting of all) give(waiting, end)
  }

  #release(): void {
    this.session?.release(this.#sequence)
    this.session = undefined
  }
}

function give<R>(waiting: Waiting<R>, end: End<R>): void {
  if (end instanceof RaftError) waiting.failed(end)
  else waiting.applied(end)
}
