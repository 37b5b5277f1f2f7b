import { NotLeader, Overloaded, RaftError, Stopped } from '../../lib/errors.ts'
import type { Request, Session, SessionLimits } from '../../lib/sessions.ts'
import { Numbered } from '../numbered.ts'
import type { Settle } from './node.ts'

/** Whoever holds a name until it is known what came of its command. */
export interface Holder {
  /** Gives the name up for good, unless an attempt is under way. */
  readonly giveUp: () => boolean
}

/** A name that is held, and what to do with it. */
export interface Name {
  /** Calls one of the two, at once or when the session is known. */
  readonly use: (propose: (request: Request) => void, fail: (error: Error) => void) => void
  /** Nobody will ask for it again. */
  readonly release: () => void
  /** Its session has expired. */
  readonly expire: () => void
}

/**
 * A node's own session, from which it names its proposals. Opened with the first of them, and again
 * after it has expired. Proposals wait for its place in the log only, not for its commit: they stand
 * behind it, so that they share its fate, and it costs no round trip.
 */
export class Requests {
  #session: OwnSession | undefined

  constructor(
    private readonly limits: SessionLimits,
    private readonly open: (limits: SessionLimits, settle: Settle<Session>) => void,
  ) {}

  /** Draws the next name. */
  draw(holder: Holder): Name | Overloaded {
    const session = this.#current()
    if (!session.makeRoom(this.limits.results)) {
      return new Overloaded(`${this.limits.results} proposals wait already: try again later`)
    }
    const sequence = session.next++
    session.held.set(sequence, holder)
    return {
      use: (propose, fail) =>
        session.whenKnown(
          (known) => propose({ session: known, sequence, lowest: session.lowest }),
          fail,
        ),
      release: () => session.held.take(sequence),
      expire: () => this.#leave(session),
    }
  }

  #current(): OwnSession {
    if (this.#session !== undefined) return this.#session
    const session = new OwnSession()
    this.#session = session
    this.open(this.limits, {
      queued: (index, term) => session.become({ index, term }),
      applied: () => undefined,
      failed: (error) => {
        this.#leave(session)
        // What waits for the session was never proposed, whatever became of the session.
        session.fail(withoutEffect(error))
      },
    })
    return session
  }

  #leave(session: OwnSession): void {
    if (this.#session === session) this.#session = undefined
  }
}

function withoutEffect(error: Error): Error {
  if (!(error instanceof RaftError) || error.outcome === 'none') return error
  return error instanceof Stopped
    ? new Stopped('none', { cause: error.cause })
    : new NotLeader(undefined)
}

type Waiting = readonly [ready: (session: Session) => void, fail: (error: Error) => void]

class OwnSession {
  /** The number of the next command. */
  next = 0
  /** Those whose names are held, in the order of their numbers. */
  readonly held = new Numbered<Holder>()
  #known: Session | undefined
  #error: Error | undefined
  #waiting: Waiting[] = []

  get lowest(): number {
    return this.held.lowest ?? this.next
  }

  /** No more results are kept than may be asked for: names that nobody uses any more go first. */
  makeRoom(size: number): boolean {
    while (this.next - this.lowest >= size) {
      const { lowest } = this
      if (this.held.get(lowest)?.giveUp() !== true) return false
      this.held.take(lowest)
    }
    return true
  }

  whenKnown(...waiting: Waiting): void {
    const [ready, fail] = waiting
    if (this.#known !== undefined) ready(this.#known)
    else if (this.#error !== undefined) fail(this.#error)
    else this.#waiting.push(waiting)
  }

  become(session: Session): void {
    this.#known = session
    for (const [ready] of this.#waiting.splice(0)) ready(session)
  }

  fail(error: Error): void {
    this.#error = error
    for (const [, fail] of this.#waiting.splice(0)) fail(error)
  }
}
