import { lastIndexOf, slice, type Batch } from './batch.ts'
import { InvariantError } from './errors.ts'
import type { Index, Position, Term } from './types.ts'

/**
 * A window on an append-only array of batches, which windows of earlier states share. Appending to the
 * newest window pushes; appending to any other copies first. So a `Log` never changes for whoever holds
 * it, and appending costs O(1).
 *
 * What always holds:
 * - batches are consecutive: each begins where the one before it ends, the first behind `base`;
 * - terms never fall from one batch to the next;
 * - cells beyond `length` belong to other windows and are never read through this one.
 */
export interface Log {
  /** The last entry that is not here any more: a snapshot stands for everything through it (§7). */
  readonly base: Position
  readonly lastIndex: Index
  readonly lastTerm: Term
  /** How many of `cells` this window sees. */
  readonly length: number
  /** Shared: only {@link append} writes, and only behind every window. */
  readonly cells: Batch[]
  /** Bytes of the batches through each cell, summed. */
  readonly totals: number[]
}

/** A log without entries, which goes on behind `base`. */
export const emptyLog = ({ index, term }: Position = { index: 0, term: 0 }): Log => ({
  base: { index, term },
  lastIndex: index,
  lastTerm: term,
  length: 0,
  cells: [],
  totals: [],
})

/** The log with `batches` behind its last entry. */
export function append(log: Log, batches: readonly Batch[]): Log {
  const last = batches.at(-1)
  if (last === undefined) return log
  const isNewest = log.cells.length === log.length
  const cells = isNewest ? log.cells : log.cells.slice(0, log.length)
  const totals = isNewest ? log.totals : log.totals.slice(0, log.length)
  let { lastIndex, lastTerm } = log
  let total = totals.at(-1) ?? 0
  for (const batch of batches) {
    if (batch.index !== lastIndex + 1 || batch.term < lastTerm) {
      throw new InvariantError(
        `entry ${batch.index}@${batch.term} cannot follow entry ${lastIndex}@${lastTerm}`,
      )
    }
    lastIndex = lastIndexOf(batch)
    lastTerm = batch.term
    cells.push(batch)
    totals.push((total += batch.bytes.length))
  }
  return { base: log.base, lastIndex, lastTerm, length: cells.length, cells, totals }
}

/** The log without the entries after `lastIndex`. */
export function truncate(log: Log, lastIndex: Index): Log {
  if (lastIndex >= log.lastIndex) return log
  const position = positionOf(log, lastIndex)
  const batch = log.cells[position]
  if (batch === undefined) return emptyLog(log.base)
  if (lastIndexOf(batch) === lastIndex) {
    return { ...log, lastIndex, lastTerm: batch.term, length: position + 1 }
  }
  const before: Log = {
    base: log.base,
    lastIndex: batch.index - 1,
    lastTerm: log.cells[position - 1]?.term ?? log.base.term,
    length: position,
    cells: log.cells.slice(0, position),
    totals: log.totals.slice(0, position),
  }
  return append(before, [slice(batch, batch.index, lastIndex)])
}

/** The log without the entries through `index`, or through the end of a batch before it: batches stay whole. */
export function compact(log: Log, index: Index): Log {
  const cut = lastCellWhere(log, (batch) => lastIndexOf(batch) <= index)
  const last = log.cells[cut]
  if (last === undefined) return log
  return {
    base: { index: lastIndexOf(last), term: last.term },
    lastIndex: log.lastIndex,
    lastTerm: log.lastTerm,
    length: log.length - cut - 1,
    cells: log.cells.slice(cut + 1, log.length),
    totals: log.totals.slice(cut + 1, log.length),
  }
}

/** The term of the entry at `index`: 0 for index 0, `undefined` after the last entry and before the base. */
export function termAt(log: Log, index: Index): Term | undefined {
  if (index === log.lastIndex) return log.lastTerm
  if (index === log.base.index) return log.base.term
  if (index > log.lastIndex || index < log.base.index) return undefined
  return log.cells[positionOf(log, index)]?.term
}

/**
 * The entries `from` to `to`, which are in the log, in batches of at most `maxBytes` together; always at least the batch in
 * which `from` lies, unless that is after `to`.
 */
export function read(log: Log, from: Index, to: Index, maxBytes = Infinity): Batch[] {
  const batches: Batch[] = []
  const end = Math.min(to, log.lastIndex)
  let size = 0
  for (let i = positionOf(log, from), next = from; next <= end; i++) {
    const batch = slice(log.cells[i]!, next, end)
    size += batch.bytes.length
    if (batches.length > 0 && size > maxBytes) break
    batches.push(batch)
    next = lastIndexOf(batch) + 1
  }
  return batches
}

/**
 * The last index, not after `index`, whose term is at most `term` (§5.3). What a snapshot stands for is
 * committed and the same everywhere, so it counts as if it were.
 */
export function lastIndexWithin(log: Log, index: Index, term: Term): Index {
  const position = lastCellWhere(log, (batch) => batch.index <= index && batch.term <= term)
  const batch = log.cells[position]
  if (batch !== undefined) return Math.min(index, lastIndexOf(batch))
  return Math.min(index, log.base.term <= term ? log.base.index : log.base.index - 1)
}

/** Bytes of the entries after `index` that are in the log, counted in whole batches. */
export function bytesAfter(log: Log, index: Index): number {
  if (index >= log.lastIndex || log.length === 0) return 0
  const total = log.totals[log.length - 1]!
  const first = index <= log.base.index ? 0 : Math.max(0, positionOf(log, index + 1))
  return total - log.totals[first]! + log.cells[first]!.bytes.length
}

/** The last index before which whole batches of at least `bytes` end at or before `index`; the base at least. */
export function indexBefore(log: Log, index: Index, bytes: number): Index {
  const last = positionOf(log, index)
  const total = log.totals[last] ?? 0
  for (let i = last; i >= 0; i--) {
    const batch = log.cells[i]!
    if (total - log.totals[i]! >= bytes) return Math.min(index, lastIndexOf(batch))
  }
  return log.base.index
}

/** The cell in which `index` lies; -1 up to the base. */
function positionOf(log: Log, index: Index): number {
  const newest = log.length - 1
  if (newest >= 0 && log.cells[newest]!.index <= index) return newest
  return lastCellWhere(log, (batch) => batch.index <= index)
}

/** The last cell for which `holds` is true, where it is true up to some cell and false after it; or -1. */
function lastCellWhere(log: Log, holds: (batch: Batch) => boolean): number {
  let low = -1
  let high = log.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (holds(log.cells[middle]!)) low = middle
    else high = middle - 1
  }
  return low
}
