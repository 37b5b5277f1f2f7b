import { lastIndexOf, slice, type Batch } from '../../lib/batch.ts'
import type { Restored, Save } from '../../lib/storage.ts'
import type { Ballot, Index, NodeId, Term } from '../../lib/types.ts'

/** What of a save reaches the disk: its ballot, and its first `batches`. */
export interface Part {
  readonly save: Save
  readonly batches: number
}

/** What a disk would give back if the power failed now. */
export class Platter implements Ballot {
  term: Term = 0
  vote: NodeId | undefined = undefined
  #batches: Batch[] = []

  get lastIndex(): Index {
    const last = this.#batches.at(-1)
    return last === undefined ? 0 : lastIndexOf(last)
  }

  termAt(index: Index): Term | undefined {
    if (index === 0) return 0
    if (index > this.lastIndex) return undefined
    let low = 0
    let high = this.#batches.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#batches[middle]!.index <= index) low = middle
      else high = middle - 1
    }
    return this.#batches[low]?.term
  }

  write({ save, batches }: Part): void {
    this.term = save.term
    this.vote = save.vote
    for (const batch of save.batches.slice(0, batches)) this.#place(batch)
  }

  read(): Restored {
    return { type: 'restored', term: this.term, vote: this.vote, batches: [...this.#batches] }
  }

  wipe(): void {
    this.term = 0
    this.vote = undefined
    this.#batches = []
  }

  /** Whatever stood at the index of a batch, and after it, is gone (§5.3). */
  #place(batch: Batch): void {
    const batches = this.#batches
    while (batches.length > 0 && batches.at(-1)!.index >= batch.index) batches.pop()
    const last = batches.at(-1)
    if (last !== undefined && lastIndexOf(last) >= batch.index) {
      batches[batches.length - 1] = slice(last, last.index, batch.index - 1)
    }
    batches.push(batch)
  }
}
