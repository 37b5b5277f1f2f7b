import { lastIndexOf, slice, type Batch } from '../../lib/batch.ts'
import { InvariantError } from '../../lib/errors.ts'
import type { Restored, Save } from '../../lib/storage.ts'
import type { Ballot, Index, Mark, NodeId, Position, Term } from '../../lib/types.ts'

/** A whole snapshot. */
export interface StoredSnapshot {
  readonly mark: Mark
  readonly bytes: Uint8Array
  readonly checksum: number
}

/** The term of no entry. */
const UNKNOWN = -1

/** What a disk would give back if the power failed now. */
export class Platter implements Ballot {
  term: Term = 0
  vote: NodeId | undefined = undefined
  /** A bit of the snapshot has flipped: it cannot be read any more. */
  isDamaged = false
  #snapshot: StoredSnapshot | undefined
  /** The last entry that was forgotten. */
  #base: Position = { index: 0, term: 0 }
  #batches: Batch[] = []

  get snapshot(): StoredSnapshot | undefined {
    return this.#snapshot
  }

  /** The last entry that a server which starts now has, its own or through the snapshot. */
  get lastIndex(): Index {
    return this.#isReplaced ? this.#snapshot!.mark.index : this.#lastEntry
  }

  termAt(index: Index): Term | undefined {
    const mark = this.#snapshot?.mark
    if (index === mark?.index) return mark.term
    return this.#isReplaced ? undefined : this.#termInLog(index)
  }

  /** Throws `InvariantError` when the save contradicts what is there. */
  write({ term, vote, reset, batches }: Save): void {
    this.term = term
    this.vote = vote
    if (reset !== undefined) this.#reset(reset)
    for (const batch of batches) this.#place(batch)
  }

  /** Throws `InvariantError` when a newer snapshot is there. */
  store(snapshot: StoredSnapshot): void {
    this.refuseOlder(snapshot.mark)
    this.#snapshot = snapshot
    this.isDamaged = false
  }

  refuseOlder({ index }: Mark): void {
    const newest = this.#snapshot?.mark.index ?? 0
    if (index >= newest) return
    throw new InvariantError(`a snapshot through ${index} would replace one through ${newest}`)
  }

  /** Throws `InvariantError` when no snapshot stands for what would be forgotten. */
  forget(before: Index): void {
    const covered = this.#snapshot?.mark.index ?? 0
    if (before > covered + 1) {
      throw new InvariantError(`a snapshot through ${covered} does not stand for ${before - 1}`)
    }
    for (let [first] = this.#batches; first !== undefined; [first] = this.#batches) {
      if (lastIndexOf(first) >= before) return
      this.#base = { index: lastIndexOf(first), term: first.term }
      this.#batches.shift()
    }
  }

  read(): Restored {
    const { term, vote } = this
    const restored = { type: 'restored', term, vote, batches: [...this.#batches] } as const
    return this.#snapshot === undefined ? restored : { ...restored, snapshot: this.#snapshot.mark }
  }

  wipe(): void {
    this.term = 0
    this.vote = undefined
    this.isDamaged = false
    this.#snapshot = undefined
    this.#base = { index: 0, term: 0 }
    this.#batches = []
  }

  get #lastEntry(): Index {
    const last = this.#batches.at(-1)
    return last === undefined ? this.#base.index : lastIndexOf(last)
  }

  /** Whether the snapshot stands for all of the log, which does not hold the snapshot's last entry (§7). */
  get #isReplaced(): boolean {
    const mark = this.#snapshot?.mark
    return mark !== undefined && this.#termInLog(mark.index) !== mark.term
  }

  #termInLog(index: Index): Term | undefined {
    if (index === this.#base.index) return this.#base.term
    if (index > this.#lastEntry || index < this.#base.index) return undefined
    let low = 0
    let high = this.#batches.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#batches[middle]!.index <= index) low = middle
      else high = middle - 1
    }
    return this.#batches[low]?.term
  }

  #reset(position: Position): void {
    const { index } = position
    const covered = this.#snapshot?.mark.index ?? 0
    if (index > covered) {
      throw new InvariantError(`a snapshot through ${covered} does not stand for a log to ${index}`)
    }
    this.#base = position
    this.#batches = []
  }

  /** The log begins with this entry, and what was before it nobody knows. */
  #begin(index: Index): void {
    this.#base = { index: index - 1, term: UNKNOWN }
    this.#batches = []
  }

  /** Whatever stood at the index of a batch, and after it, is gone (§5.3). */
  #place(batch: Batch): void {
    const { index } = batch
    if (index > this.#lastEntry + 1) {
      throw new InvariantError(`entry ${index} does not follow a log through ${this.#lastEntry}`)
    }
    // A snapshot may be durable, and what it stands for forgotten, before the entries themselves come.
    if (index <= this.#base.index) this.#begin(index)
    const batches = this.#batches
    while (batches.length > 0 && batches.at(-1)!.index >= index) batches.pop()
    const last = batches.at(-1)
    if (last !== undefined && lastIndexOf(last) >= index) {
      batches[batches.length - 1] = slice(last, last.index, index - 1)
    }
    batches.push(batch)
  }
}
