import { CommandFailed, RaftError } from '../../lib/errors.ts'
import { SessionExpired, type Request } from '../../lib/sessions.ts'
import type { Index, Term } from '../../lib/types.ts'
import type { Settle } from './node.ts'
import type { Name, Requests } from './requests.ts'
import type { Result } from './sessions.ts'

/** Where a proposal's attempts go. */
export interface Proposer<C, R> {
  /** Proposes it under a name. */
  readonly request: (command: C, request: Request, settle: Settle<R>) => void
  /** What came of a name, as far as it is known here. */
  readonly find: (request: Request) => Result | undefined
  readonly requests: Requests
}

/** How a proposal ended. */
type End<R> = (settle: Settle<R>) => void

/**
 * A command that is applied once, however often it is attempted. It holds a name from its first attempt
 * until it is known what came of it; where nothing came of it, the next attempt may as well have another.
 */
export class Proposal<C, R> {
  #name: Name | undefined
  /** Attempts whose end is not known yet. */
  #underWay = 0
  /** An attempt ended, and nobody knows how. */
  #isInDoubt = false
  #end: End<R> | undefined
  #isRefused = false
  /** The session of the latest attempt. */
  #session = 0

  constructor(
    private readonly command: C,
    private readonly proposer: Proposer<C, R>,
    private readonly given?: Request,
  ) {}

  /** Whether an attempt may have taken effect, or may yet. */
  get isOpen(): boolean {
    return this.#underWay > 0 || this.#isInDoubt
  }

  /** Whether the latest attempt was sent away, as the next one would be now. */
  get isRefused(): boolean {
    return this.#isRefused
  }

  attempt(settle: Settle<R>, isLast = false): void {
    if (this.#end !== undefined) return this.#end(settle)
    const name = this.#hold()
    if (name instanceof Error) return settle.failed(name)
    this.#underWay++
    name.use(
      (request) => this.#propose(request, settle, isLast),
      (error) => this.#failed(error, settle),
    )
  }

  #hold(): Name | RaftError {
    if (this.#name !== undefined) return this.#name
    const { requests } = this.proposer
    const name = this.given === undefined ? requests.draw(this) : fixed(this.given)
    if (!(name instanceof Error)) this.#name = name
    return name
  }

  /** For {@link Requests}, which keeps no name for ever. */
  giveUp(): boolean {
    if (this.#underWay > 0) return false
    this.#end = (settle) => settle.failed(new SessionExpired(this.#session, 'unknown'))
    return true
  }

  #propose(request: Request, settle: Settle<R>, isLast: boolean): void {
    this.#session = request.session.index
    const { proposer, command } = this
    const known = proposer.find(request)
    if (known !== undefined) return this.#known(known, settle)
    proposer.request(command, request, {
      queued: (index, term) => {
        this.#isRefused = false
        settle.queued?.(index, term)
      },
      committed: (index, term) => settle.committed?.(index, term),
      applied: (result, index, term) => this.#applied(result, index, term, settle),
      failed: (error) => {
        if (!(error instanceof SessionExpired)) return this.#failed(error, settle)
        this.#expired(settle, isLast)
      },
    })
  }

  /** This server has applied it already, perhaps since another server led. */
  #known(known: Result, settle: Settle<R>): void {
    const { index, term } = known
    settle.committed?.(index, term)
    if (known.ok) this.#applied(known.result as R, index, term, settle)
    else this.#failed(new CommandFailed(index, known.error), settle)
  }

  #applied(result: R, index: Index, term: Term, settle: Settle<R>): void {
    this.#underWay--
    this.#finish((later) => later.applied(result, index, term))
    settle.applied(result, index, term)
  }

  #failed(error: Error, settle: Settle<R>): void {
    this.#underWay--
    // Another attempt has come to an end, which is this one's too.
    if (this.#end !== undefined) return this.#end(settle)
    this.#isRefused = error instanceof RaftError && error.retryable && error.outcome === 'none'
    if (error instanceof CommandFailed) this.#finish((later) => later.failed(error))
    else if (!(error instanceof RaftError) || error.outcome === 'unknown') this.#isInDoubt = true
    else this.#releaseUnlessOpen()
    settle.failed(error)
  }

  /** The log came upon it too late. Where no attempt before could succeed, another session helps. */
  #expired(settle: Settle<R>, isLast: boolean): void {
    this.#underWay--
    if (this.#end !== undefined) return this.#end(settle)
    this.#name?.expire()
    const outcome = this.isOpen || this.given !== undefined ? 'unknown' : 'none'
    const error = new SessionExpired(this.#session, outcome)
    if (outcome === 'unknown') this.#finish((later) => later.failed(error))
    else this.#releaseUnlessOpen()
    if (outcome === 'unknown' || isLast) settle.failed(error)
    else this.attempt(settle, true)
  }

  #finish(end: End<R>): void {
    this.#end = end
    this.#isInDoubt = false
    this.#name?.release()
  }

  #releaseUnlessOpen(): void {
    if (this.isOpen) return
    this.#name?.release()
    this.#name = undefined
  }
}

const nothing = (): void => undefined

/** A name that came from elsewhere. */
const fixed = (request: Request): Name => ({
  use: (propose) => propose(request),
  release: nothing,
  expire: nothing,
})
