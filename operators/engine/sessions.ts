import type { Request, Session, SessionLimits } from '../../lib/sessions.ts'
import type { Index, Term } from '../../lib/types.ts'
import { structured } from '../codec.ts'

/** What came of a command where it was applied first. */
export type Result = { readonly index: Index; readonly term: Term } & (
  { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: unknown }
)

interface Entry {
  readonly term: Term
  readonly limits: SessionLimits
  /** The last entry that used it. */
  used: Index
  /** What came before is forgotten. */
  lowest: number
  /** What came of commands from `lowest` on, in the order in which they were applied. */
  readonly results: Results
}

/** By sequence; `undefined` for one that was applied, and nobody can say what came of it. */
type Results = Map<number, Result | undefined>

/**
 * The client sessions, a part of the replicated state: changed by entries of the log and by nothing else,
 * so that they are the same on every server. The caller keeps the order of the log.
 */
export class Sessions {
  /** The least recently used first. */
  readonly #entries = new Map<Index, Entry>()
  /** The session at the end. */
  #latest: Index | undefined

  get size(): number {
    return this.#entries.size
  }

  /** Opens a session; the one that was used least recently may have to go. */
  open({ index, term }: Session, limits: SessionLimits): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < limits.sessions) break
      this.#entries.delete(oldest)
    }
    this.#entries.set(index, { term, limits, used: index, lowest: 0, results: new Map() })
    this.#latest = index
  }

  /** What is to be done with a request at `index`: it is the first, or what came of the first, or too late. */
  judge({ session, sequence, lowest }: Request, index: Index): 'first' | 'expired' | Result {
    const entry = this.#use(session, index)
    if (entry === undefined) return 'expired'
    forgetBefore(entry, Math.min(lowest, sequence))
    if (sequence < entry.lowest) return 'expired'
    return entry.results.has(sequence) ? (entry.results.get(sequence) ?? 'expired') : 'first'
  }

  /** Keeps what came of a request that was the first. */
  keep({ session, sequence }: Request, result: Result): void {
    const entry = this.#entries.get(session.index)
    if (entry === undefined) return
    const { results, limits } = entry
    results.set(sequence, result)
    if (results.size <= limits.results) return
    const [oldest = 0] = results.keys()
    forgetBefore(entry, oldest + 1)
  }

  /** What came of a request, as far as it is known here. Uses nothing. */
  find({ session, sequence }: Pick<Request, 'session' | 'sequence'>): Result | undefined {
    const entry = this.#entries.get(session.index)
    return entry?.term === session.term ? entry.results.get(sequence) : undefined
  }

  /** All of it in pieces, as it is now. Results are encoded when they are asked for. */
  pieces(): Iterable<unknown> {
    const rows = [...this.#entries].map(([index, { results, ...entry }]) => ({
      session: { index, ...entry, count: results.size },
      results: [...results],
    }))
    return toPieces(rows)
  }

  /** Adds a session as it was in a snapshot, after those that were used before it. */
  restore({ index, ...entry }: Omit<SessionPiece, 'count'>, results: Results): void {
    this.#entries.set(index, { ...entry, results })
    this.#latest = index
  }

  #use({ index, term }: Session, at: Index): Entry | undefined {
    const entry = this.#entries.get(index)
    if (entry?.term !== term) return undefined
    const isOver = at - entry.used > entry.limits.entries
    entry.used = at
    // A client's commands come many at a time: most find their session at the end already.
    if (index === this.#latest && !isOver) return entry
    this.#entries.delete(index)
    if (isOver) return undefined
    this.#entries.set(index, entry)
    this.#latest = index
    return entry
  }
}

function forgetBefore(entry: Entry, lowest: number): void {
  if (lowest <= entry.lowest) return
  const { results } = entry
  if (lowest - entry.lowest <= results.size) {
    for (let sequence = entry.lowest; sequence < lowest; sequence++) results.delete(sequence)
  } else {
    for (const sequence of results.keys()) if (sequence < lowest) results.delete(sequence)
  }
  entry.lowest = lowest
}

/** How a session stands in a snapshot: so many pieces of results follow it. */
type SessionPiece = Omit<Entry, 'results'> & { readonly index: Index; readonly count: number }

interface ResultPiece {
  readonly sequence: number
  readonly index: Index
  readonly term: Term
  readonly ok: boolean
  /** `undefined` for what cannot be written. */
  readonly value: Uint8Array | undefined
}

interface Row {
  readonly session: SessionPiece
  readonly results: readonly (readonly [number, Result | undefined])[]
}

const codec = structured()

/** First how many sessions there are, then each with its results. */
function* toPieces(rows: readonly Row[]): Generator<unknown> {
  yield rows.length
  for (const { session, results } of rows) {
    yield session
    for (const [sequence, result] of results) yield toPiece(sequence, result)
  }
}

function toPiece(sequence: number, result: Result | undefined): ResultPiece {
  if (result === undefined) return { ...lost, sequence }
  const { index, term, ok } = result
  return { sequence, index, term, ok, value: pack(ok ? result.result : result.error) }
}

const lost = { index: 0, term: 0, ok: false, value: undefined }

/** What a machine answers need not be something that can be written. */
function pack(value: unknown): Uint8Array | undefined {
  try {
    return codec.encode(value)
  } catch {
    return undefined
  }
}

function fromPiece({ index, term, ok, value }: ResultPiece): Result | undefined {
  if (value === undefined) return undefined
  const found = codec.decode(value)
  return ok ? { index, term, ok, result: found } : { index, term, ok, error: found }
}

/** Puts sessions together again from their pieces, with which a snapshot begins. */
export class SessionReader {
  readonly sessions = new Sessions()
  #sessionsLeft: number | undefined
  #resultsLeft = 0
  #results: Results = new Map()

  /** Whether all of them have come. */
  get isDone(): boolean {
    return this.#sessionsLeft === 0 && this.#resultsLeft === 0
  }

  take(piece: unknown): void {
    if (this.#sessionsLeft === undefined) this.#sessionsLeft = piece as number
    else if (this.#resultsLeft > 0) this.#takeResult(piece as ResultPiece)
    else this.#takeSession(piece as SessionPiece)
  }

  #takeSession({ count, ...session }: SessionPiece): void {
    this.#sessionsLeft!--
    this.#resultsLeft = count
    this.#results = new Map()
    this.sessions.restore(session, this.#results)
  }

  #takeResult(piece: ResultPiece): void {
    this.#resultsLeft--
    this.#results.set(piece.sequence, fromPiece(piece))
  }
}
