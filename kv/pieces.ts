import type { Index } from 'rxraft'
import type { Store, Version } from './machine.ts'
import { ascend, set } from './tree.ts'

/** A part of the store in a snapshot: first of all its index, and then some keys at a time, in order. */
export type Piece = Index | readonly Row[]

type Row = readonly [key: string, value: Uint8Array, version: Version]

/** Keys in one piece. */
const KEYS = 256

/** Bytes of values after which a piece ends. */
const BYTES = 64 * 1024

/** A store never changes, so its pieces can be made while others come after it. */
export function* pieces({ entries, index }: Store): Generator<Piece, void> {
  yield index
  let rows: Row[] = []
  let bytes = 0
  for (const { key, value: entry } of ascend(entries)) {
    rows.push([key, entry.value, entry.version])
    bytes += entry.value.length
    if (rows.length < KEYS && bytes < BYTES) continue
    yield rows
    rows = []
    bytes = 0
  }
  if (rows.length > 0) yield rows
}

/** The store with what a piece holds. */
export function withPiece(store: Store, piece: Piece): Store {
  if (typeof piece === 'number') return { ...store, index: piece }
  let { entries } = store
  for (const [key, value, version] of piece) entries = set(entries, key, { value, version })
  return { ...store, entries }
}
