import type { Request, Session, SessionLimits } from '../../lib/sessions.ts'
import type { Index, Term } from '../../lib/types.ts'
import { structured } from '../codec.ts'
import { Numbered } from '../numbered.ts'

/** What came of a command where it was applied first. */
export type Result = { readonly index: Index; readonly term: Term } & (
  { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: unknown }
)

interface Entry {
  readonly index: Index
  readonly term: Term
  readonly limits: SessionLimits
  /** The last entry that used it. */
  used: Index
  /** What came before is forgotten. */
  lowest: number
  /** What came of commands from `lowest` on. */
  readonly results: Results
}

/** By sequence; `undefined` for one that was applied, and nobody can say what came of it. */
type Results = Numbered<Result | undefined>

/**
 * The client sessions, a part of the replicated state: changed by entries of the log and by nothing else,
 * so that they are the same on every server. The caller keeps the order of the log.
 */
export class Sessions {
  /** The least recently used first. */
  readonly #entries = new Map<Index, Entry>()
  /** The session at the end: a client's commands come many at a time, and most find theirs there. */
  #latest: Entry | undefined

  get size(): number {
    return this.#entries.size
  }

  /** Opens a session; the one that was used least recently may have to go. */
  open({ index, term }: Session, limits: SessionLimits): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < limits.sessions) break
      this.#entries.delete(oldest)
    }
    const results: Results = new Numbered()
    this.#add({ index, term, limits, used: index, lowest: 0, results })
  }

  /** What is to be done with a request at `index`: it is the first, or what came of the first, or too late. */
  judge({ session, sequence, lowest }: Request, index: Index): 'first' | 'expired' | Result {
    const entry = this.#use(session, index)
    if (entry === undefined) return 'expired'
    forgetBefore(entry, Math.min(lowest, sequence))
    if (sequence < entry.lowest) return 'expired'
    return entry.results.has(sequence) ? (entry.results.get(sequence) ?? 'expired') : 'first'
  }

  /** Keeps what came of a request that was the first. Where there are too many, that of the lowest number goes. */
  keep({ session, sequence }: Request, result: Result): void {
    const entry = this.#entryOf(session.index)
    if (entry === undefined) return
    const { results, limits } = entry
    results.set(sequence, result)
    if (results.size > limits.results) forgetBefore(entry, (results.lowest ?? 0) + 1)
  }

  /** What came of a request, as far as it is known here. Uses nothing. */
  find({ session, sequence }: Pick<Request, 'session' | 'sequence'>): Result | undefined {
    const entry = this.#entryOf(session.index)
    return entry?.term === session.term ? entry.results.get(sequence) : undefined
  }

  /** All of it in pieces, as it is now. Results are encoded when they are asked for. */
  pieces(): Iterable<unknown> {
    const rows = [...this.#entries.values()].map(({ results, ...entry }) => ({
      session: { ...entry, count: results.size },
      results: [...results],
    }))
    return toPieces(rows)
  }

  /** Adds a session as it was in a snapshot, after those that were used before it. */
  restore(entry: Omit<SessionPiece, 'count'>, results: Results): void {
    this.#add({ ...entry, results })
  }

  #entryOf(index: Index): Entry | undefined {
    return this.#latest?.index === index ? this.#latest : this.#entries.get(index)
  }

  /** At the end. */
  #add(entry: Entry): void {
    this.#entries.set(entry.index, entry)
    this.#latest = entry
  }

  #use({ index, term }: Session, at: Index): Entry | undefined {
    const entry = this.#entryOf(index)
    if (entry?.term !== term) return undefined
    const isOver = at - entry.used > entry.limits.entries
    entry.used = at
    if (entry === this.#latest && !isOver) return entry
    this.#entries.delete(index)
    if (!isOver) this.#add(entry)
    else if (entry === this.#latest) this.#latest = undefined
    return isOver ? undefined : entry
  }
}

function forgetBefore(entry: Entry, lowest: number): void {
  if (lowest <= entry.lowest) return
  entry.results.drop(lowest)
  entry.lowest = lowest
}

/** How a session stands in a snapshot: so many pieces of results follow it. */
type SessionPiece = Omit<Entry, 'results'> & { readonly count: number }

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
  #results: Results = new Numbered()

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
    this.#results = new Numbered()
    this.sessions.restore(session, this.#results)
  }

  #takeResult(piece: ResultPiece): void {
    this.#resultsLeft--
    this.#results.set(piece.sequence, fromPiece(piece))
  }
}
