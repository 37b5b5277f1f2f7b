import type { Batch, Kind } from '../../../lib/batch.ts'
import type { Log } from '../../../lib/log.ts'
import type { Index, Term } from '../../../lib/types.ts'

/** A log entry as a bystander sees it: encoded and decoded here, without the engine's own helpers. */
export interface Entry {
  readonly index: Index
  readonly term: Term
  readonly kind: Kind
  readonly text: string
}

/** A batch of one entry for each text. */
export function batchOf(
  index: Index,
  term: Term,
  texts: readonly string[],
  kind: Kind = 'command',
) {
  const payloads = texts.map((text) => new TextEncoder().encode(text))
  const bytes = new Uint8Array(payloads.reduce((sum, { length }) => sum + 4 + length, 0))
  let offset = 0
  for (const payload of payloads) {
    new DataView(bytes.buffer).setUint32(offset, payload.length, true)
    bytes.set(payload, offset + 4)
    offset += 4 + payload.length
  }
  return { index, term, kind, count: texts.length, bytes } satisfies Batch
}

/** A log of one-entry batches with these terms, from `first` on; the command names index and term. */
export const logOf = (terms: readonly Term[], first: Index = 1): Batch[] =>
  terms.map((term, i) => batchOf(first + i, term, [`${first + i}@${term}`]))

export function entriesOf(batches: readonly Batch[]): Entry[] {
  return batches.flatMap(({ index, term, kind, count, bytes }) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const entries: Entry[] = []
    for (let i = 0, offset = 0; i < count; i++) {
      const end = offset + 4 + view.getUint32(offset, true)
      const text = new TextDecoder().decode(bytes.subarray(offset + 4, end))
      entries.push({ index: index + i, term, kind, text })
      offset = end
    }
    return entries
  })
}

/** What a log holds, entry by entry. */
export const entriesIn = (log: Log): Entry[] => entriesOf(log.cells.slice(0, log.length))

/** The terms of a log's entries, as the figures of the paper draw them. */
export const termsIn = (log: Log): Term[] => entriesIn(log).map(({ term }) => term)
