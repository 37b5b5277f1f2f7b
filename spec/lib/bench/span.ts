import type { Index, Position, Term } from '../../../lib/types.ts'
import type { Entry } from './entries.ts'

/** A log as a bystander sees it: the entries behind `base`, in their order. */
export interface Span {
  readonly base: Position
  readonly log: readonly Entry[]
}

export const nothing: Span = { base: { index: 0, term: 0 }, log: [] }

export const lastIndexIn = ({ base, log }: Span): Index => base.index + log.length

export const entryAt = ({ base, log }: Span, index: Index): Entry | undefined =>
  log[index - base.index - 1]

/** The term of an entry that is there, or of the one before the first. */
export const termOf = (span: Span, index: Index): Term | undefined =>
  index === span.base.index ? span.base.term : entryAt(span, index)?.term

/** Entries in their places; one that is not after the last replaces everything from its index on. */
export function replace({ base, log }: Span, entries: readonly Entry[]): Span {
  const result = [...log]
  for (const entry of entries) {
    const place = entry.index - base.index - 1
    if (place < 0 || place > result.length) throw new Error(`a gap before entry ${entry.index}`)
    result.length = place
    result.push(entry)
  }
  return { base, log: result }
}

/** Without the entries before `index`. */
export function forget(span: Span, index: Index): Span {
  const dropped = Math.min(index - 1, lastIndexIn(span)) - span.base.index
  const last = span.log[dropped - 1]
  if (last === undefined) return span
  return { base: { index: last.index, term: last.term }, log: span.log.slice(dropped) }
}
