import { lastIndexOf, slice, type Batch } from '../../lib/batch.ts'
import { InvariantError } from '../../lib/errors.ts'
import type { Save } from '../../lib/storage.ts'
import type { Ballot, Index, NodeId, Term } from '../../lib/types.ts'

/** Where a log stands: what the next save must not contradict. Moves on with {@link advance}. */
export interface Standing {
  term: Term
  vote: NodeId | undefined
  lastIndex: Index
  /** Where the entries of each term begin, in order. */
  readonly runs: { readonly index: Index; readonly term: Term }[]
}

export const emptyStanding = (): Standing => ({ term: 0, vote: undefined, lastIndex: 0, runs: [] })

/**
 * Takes a save into account, or throws `InvariantError` and leaves everything as it was up to the
 * offending part: a store refuses to write what it would have to refuse to read.
 */
export function advance(standing: Standing, save: Pick<Save, 'term' | 'vote' | 'batches'>): void {
  checkBallot(standing, save)
  standing.term = save.term
  standing.vote = save.vote
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
