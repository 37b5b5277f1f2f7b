import { lastIndexOf, slice, type Batch } from '../../lib/batch.ts'
import { InvariantError } from '../../lib/errors.ts'
import type { Save } from '../../lib/storage.ts'
import type { Ballot, Index, NodeId, Position, Term } from '../../lib/types.ts'
import { covers } from './chunks.ts'

/** Where a log stands: what the next save must not contradict. Moves on with {@link advance}. */
export interface Standing {
  term: Term
  vote: NodeId | undefined
  lastIndex: Index
  /** Where the entries of each term begin, in order. */
  readonly runs: { readonly index: Index; readonly term: Term }[]
  /** What the newest durable snapshot stands for. */
  snapshot: Position | undefined
}

export const emptyStanding = (): Standing => ({
  term: 0,
  vote: undefined,
  lastIndex: 0,
  runs: [],
  snapshot: undefined,
})

/**
 * Takes a save into account, or throws `InvariantError` and leaves everything as it was up to the
 * offending part: a store refuses to write what it would have to refuse to read.
 */
export function advance(standing: Standing, save: Omit<Save, 'type' | 'sequence'>): void {
  checkBallot(standing, save)
  standing.term = save.term
  standing.vote = save.vote
  if (save.reset !== undefined) reset(standing, save.reset)
  for (const batch of save.batches) advanceBatch(standing, batch)
}

function checkBallot(before: Ballot, after: Ballot): void {
  if (after.term < before.term) {
    throw new InvariantError(`the term went back from ${before.term} to ${after.term}`)
  }
  if (after.term === before.term && before.vote !== undefined && after.vote !== before.vote) {
    const votes = `from ${before.vote} to ${after.vote ?? 'nobody'}`
    throw new InvariantError(`the vote in term ${before.term} changed ${votes}`)
  }
}

/** The log is empty and goes on behind `position`. */
function reset(standing: Standing, position: Position): void {
  const { index, term } = position
  if (standing.snapshot === undefined || !covers(standing.snapshot, position)) {
    throw new InvariantError(`no snapshot stands for the log through entry ${index}@${term}`)
  }
  if (term > standing.term) {
    throw new InvariantError(`entry ${index}@${term} came without a ballot of its term`)
  }
  standing.lastIndex = index
  standing.runs.splice(0, Infinity, { index, term })
}

/** Throws `InvariantError` when entries before this one are not all in a snapshot. */
export function checkForget({ snapshot }: Standing, before: Index): void {
  if (before <= (snapshot?.index ?? 0) + 1) return
  throw new InvariantError(`no snapshot stands for all entries before ${before}`)
}

function advanceBatch(standing: Standing, batch: Batch): void {
  const { index, term, count } = batch
  const { lastIndex, runs } = standing
  if (index < 1 || count < 1 || index > lastIndex + 1) {
    const what = `${count} entries at index ${index} do not follow a log that ends at ${lastIndex}`
    throw new InvariantError(what)
  }
  if (term > standing.term) {
    throw new InvariantError(`entries of term ${term} came without a ballot of that term`)
  }
  while (runs.length > 0 && runs.at(-1)!.index >= index) runs.pop()
  const previous = runs.at(-1)?.term ?? 0
  if (term < previous) {
    throw new InvariantError(`an entry of term ${term} at index ${index} follows term ${previous}`)
  }
  if (term > previous) runs.push({ index, term })
  standing.lastIndex = lastIndexOf(batch)
}

/** Puts a batch at its index: whatever stood there and after it is gone (§5.3). */
export function place(batches: Batch[], batch: Batch): void {
  while (batches.length > 0 && batches.at(-1)!.index >= batch.index) batches.pop()
  const last = batches.at(-1)
  if (last !== undefined && lastIndexOf(last) >= batch.index) {
    batches[batches.length - 1] = slice(last, last.index, batch.index - 1)
  }
  batches.push(batch)
}

/** Drops the batches that lie before an index as a whole. */
export function dropBefore(batches: Batch[], before: Index): void {
  const kept = batches.findIndex((batch) => lastIndexOf(batch) >= before)
  batches.splice(0, kept < 0 ? batches.length : kept)
}
