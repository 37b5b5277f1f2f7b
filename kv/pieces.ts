import type { Index } from 'rxraft'
import { answered, remember, type Answered } from './answers.ts'
import { withEntry, type Contents, type Entry, type Version } from './contents.ts'
import type { Store } from './machine.ts'
import { ascend } from './tree.ts'

/**
 * A part of the store in a snapshot: first of all its index and its time, then some keys at a time, in order, and then
 * what is remembered of requests, in the order in which they came.
 */
export type Piece = Head | readonly Row[] | { readonly answers: readonly AnswerRow[] }

/** A number alone is an index, as it was written before the log told the time. */
type Head = Index | { readonly index: Index; readonly now: number }

type Row = readonly [key: string, value: Uint8Array, version: Version, expires?: number]

type AnswerRow = readonly [name: string, answered: Answered]

/** Keys in one piece. */
const KEYS = 256

/** Bytes of values after which a piece ends. */
const BYTES = 64 * 1024

/** A store never changes, so its pieces can be made while others come after it. */
export function* pieces({ entries, index, now, answers }: Store): Generator<Piece, void> {
  yield { index, now }
  yield* piecesOfEntries(entries)
  yield* piecesOfAnswers(answers)
}

function* piecesOfEntries(entries: Store['entries']): Generator<Piece, void> {
  let rows: Row[] = []
  let bytes = 0
  for (const { key, value: entry } of ascend(entries)) {
    rows.push(rowOf(key, entry))
    bytes += entry.value.length
    if (rows.length < KEYS && bytes < BYTES) continue
    yield rows
    rows = []
    bytes = 0
  }
  if (rows.length > 0) yield rows
}

const rowOf = (key: string, { value, version, expires }: Entry): Row =>
  expires === undefined ? [key, value, version] : [key, value, version, expires]

function* piecesOfAnswers(all: Store['answers']): Generator<Piece, void> {
  let answers: AnswerRow[] = []
  for (const row of answered(all)) {
    answers.push(row)
    if (answers.length < KEYS) continue
    yield { answers }
    answers = []
  }
  if (answers.length > 0) yield { answers }
}

/** The store with what a piece holds. */
export function withPiece(store: Store, piece: Piece): Store {
  if (typeof piece === 'number') return { ...store, index: piece }
  if ('answers' in piece) {
    const add = (known: Store['answers'], row: AnswerRow) => remember(known, ...row)
    return { ...store, answers: piece.answers.reduce(add, store.answers) }
  }
  if ('index' in piece) return { ...store, ...piece }
  const add = (contents: Contents, [key, value, version, expires]: Row) =>
    withEntry(contents, key, { value, version, expires })
  return { ...store, ...piece.reduce(add, store) }
}
