import { mapPayloads, type Batch } from '../../lib/batch.ts'
import { HEADER_BYTES, RequestReader, type Request } from '../../lib/sessions.ts'
import type { AppliedBatch } from '../../lib/turn.ts'
import type { Index, Term } from '../../lib/types.ts'
import type { Applied } from './node.ts'
import { Repeats, type RepeatsPiece } from './repeats.ts'
import { SessionReader, Sessions, type Result } from './sessions.ts'

/** A batch of requests. Its `outcomes` are those of the requests that were the first of their name. */
export interface AppliedRequests<C, R> extends AppliedBatch {
  readonly outcomes: readonly Applied<C, R>[]
  /** What came of each entry, here or earlier; `undefined` where nobody can tell. */
  readonly answers: readonly (Result | undefined)[]
}

/** Applies the command that lies in `bytes` from `start` to `end`. */
export type Apply<C, R> = (
  bytes: Uint8Array,
  start: number,
  end: number,
  index: Index,
  term: Term,
) => Applied<C, R>

/** What is replicated beside the application's state, for whoever asks it to apply a command once. */
export class Clients {
  readonly #reader = new RequestReader()

  constructor(
    private readonly sessions = new Sessions(),
    /** The entries at which nothing was applied. */
    readonly repeats = new Repeats(),
  ) {}

  /** Applies the requests of a batch that are the first of their name. */
  apply<C, R>(batch: Batch, apply: Apply<C, R>): AppliedRequests<C, R> {
    const { term } = batch
    const outcomes: Applied<C, R>[] = []
    const once: Apply<C, R> = (bytes, start, end, index) => {
      const outcome = apply(bytes, start, end, index, term)
      outcomes.push(outcome)
      return outcome
    }
    const answers = mapPayloads(batch, (bytes, start, end, index) =>
      this.#answer(bytes, start, end, index, term, once),
    )
    return { batch, outcomes, answers }
  }

  /** What came of a request, as far as it is known here. */
  find(request: Pick<Request, 'session' | 'sequence'>): Result | undefined {
    return this.sessions.find(request)
  }

  /** All of it, as it is now. */
  pieces(): Iterable<unknown> {
    const repeats = this.repeats.piece()
    const sessions = this.sessions.pieces()
    return (function* () {
      yield repeats
      yield* sessions
    })()
  }

  #answer<C, R>(
    bytes: Uint8Array,
    start: number,
    end: number,
    index: Index,
    term: Term,
    apply: Apply<C, R>,
  ): Result | undefined {
    const asked = this.#reader.read(bytes, start, end)
    if (asked !== undefined && !('session' in asked)) {
      const session = { index, term }
      this.sessions.open(session, asked)
      return { index, term, ok: true, result: session }
    }
    const known = asked ? this.sessions.judge(asked, index) : 'expired'
    if (asked === undefined || known !== 'first') {
      this.repeats.add(index)
      return typeof known === 'string' ? undefined : known
    }
    const outcome = apply(bytes, start + HEADER_BYTES, end, index, term)
    const result: Result = outcome.ok
      ? { index, term, ok: true, result: outcome.result }
      : { index, term, ok: false, error: outcome.error }
    this.sessions.keep(asked, result)
    return result
  }
}

/** Puts it together again from the pieces with which a snapshot begins. */
export class ClientsReader {
  readonly #sessions = new SessionReader()
  #repeats: Repeats | undefined

  /** Whether all of it has come. */
  get isDone(): boolean {
    return this.#sessions.isDone
  }

  get clients(): Clients {
    return new Clients(this.#sessions.sessions, this.#repeats)
  }

  take(piece: unknown): void {
    if (this.#repeats === undefined) this.#repeats = new Repeats(piece as RepeatsPiece)
    else this.#sessions.take(piece)
  }
}
