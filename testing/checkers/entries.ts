import type { Batch } from '../../lib/batch.ts'
import type { Log } from '../../lib/log.ts'
import type { Index, Term } from '../../lib/types.ts'

/**
 * A bystander's own reading of logs and batches: nothing here comes from the engine, so that a mistake of
 * the engine's cannot hide itself.
 */

/** Is shown one entry: `print` is a hash of its kind and its bytes, 32 bits, or {@link WITHHELD}. */
export type Visit = (index: Index, term: Term, print: number) => void

/** The print of a command that a witness has no bytes of. */
const WITHHELD = NaN

/** Whether the prints are those of one entry, as far as it is known. */
export const isAlike = (one: number, other: number): boolean =>
  one === other || Number.isNaN(one) || Number.isNaN(other)

/** Shows the entries `from` to `to` of a batch, as far as it has them. */
export function visitBatch(batch: Batch, from: Index, to: Index, visit: Visit): void {
  const { bytes, count } = batch
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let i = 0, start = 0; i < count && batch.index + i <= to; i++) {
    const end = start + 4 + view.getUint32(start, true)
    const index = batch.index + i
    if (index >= from) visit(index, batch.term, printOf(batch.kind, bytes, start + 4, end))
    start = end
  }
}

/** Shows the entries `from` to `to` of a log, as far as it has them. */
export function visitLog(log: Log, from: Index, to: Index, visit: Visit): void {
  for (let cell = Math.max(0, cellOf(log, from)); cell < log.length; cell++) {
    const batch = log.cells[cell]!
    if (batch.index > to) return
    visitBatch(batch, from, to, visit)
  }
}

/** The batches from the one on in which the entry `from` is. */
export function batchesFrom(log: Log, from: Index): readonly Batch[] {
  const cell = cellOf(log, from)
  if (cell >= 0 && lastOf(log, cell + 1) >= from) return log.cells.slice(cell, log.length)
  return log.cells.slice(cell + 1, log.length)
}

/** The term of the entry at `index`, also of the last one that is gone; `undefined` where the log has none. */
export function termIn(log: Log, index: Index): Term | undefined {
  if (index === log.base.index) return log.base.term
  const batch = log.cells[cellOf(log, index)]
  return batch !== undefined && index < batch.index + batch.count ? batch.term : undefined
}

/** The last index through which two windows of one server's log have the same cells, as far as both have any. */
export function lastCommon(before: Log, now: Log): Index {
  const base = Math.max(before.base.index, now.base.index)
  let one = Math.max(0, cellOf(before, base + 1))
  let other = Math.max(0, cellOf(now, base + 1))
  if (before.cells === now.cells)
    return Math.max(base, lastOf(now, Math.min(before.length, now.length)))
  while (one < before.length && other < now.length && before.cells[one] === now.cells[other]) {
    one++
    other++
  }
  return Math.max(base, lastOf(now, other))
}

/** The last index of the first `cells` cells. */
export function lastOf(log: Log, cells: number): Index {
  const batch = log.cells[cells - 1]
  return batch === undefined ? log.base.index : batch.index + batch.count - 1
}

/** The last cell that begins at `index` or before; -1 when there is none. */
function cellOf(log: Log, index: Index): number {
  let low = 0
  let high = log.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (log.cells[middle]!.index <= index) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** FNV-1a. */
function printOf(kind: string, bytes: Uint8Array, start: number, end: number): number {
  if (kind === 'withheld') return WITHHELD
  let print = kind === 'noop' ? 0x811c9dc5 : 0x01000193
  for (let i = start; i < end; i++) print = Math.imul(print ^ bytes[i]!, 0x01000193)
  return print ^ (end - start)
}
