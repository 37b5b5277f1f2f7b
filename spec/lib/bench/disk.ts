import type { Restored, Save, Saved } from '../../../lib/storage.ts'
import type { Ballot } from '../../../lib/types.ts'
import { batchOf, entriesOf, type Entry } from './entries.ts'

/** A disk in the words of `Save`'s contract, whose every write waits until a test completes it. */
export class Disk {
  /** What a crash leaves. */
  ballot: Ballot = { term: 0, vote: undefined }
  log: readonly Entry[] = []
  /** Saves that were handed over and are not durable yet, oldest first. */
  pending: readonly Save[] = []

  write(save: Save): void {
    this.pending = [...this.pending, save]
  }

  /** Makes the oldest save durable. */
  complete(): Saved {
    const [save, ...others] = this.pending
    if (save === undefined) throw new Error('nothing is being saved')
    this.pending = others
    this.#keep(save, save.batches.length)
    return { type: 'saved', sequence: save.sequence, term: save.term }
  }

  /**
   * Loses what is not durable. Of the saves under way, the oldest `whole` happened to reach the disk,
   * and of the next one its ballot with the first `part` batches, when `part` is given.
   */
  crash(whole = 0, part?: number): void {
    for (const save of this.pending.slice(0, whole)) this.#keep(save, save.batches.length)
    const torn = this.pending[whole]
    if (torn !== undefined && part !== undefined) this.#keep(torn, part)
    this.pending = []
  }

  restored(): Restored {
    // One entry a batch: a storage need not keep the bounds of what it was given.
    const batches = this.log.map(({ index, term, kind, text }) =>
      batchOf(index, term, [text], kind),
    )
    return { type: 'restored', ...this.ballot, batches }
  }

  #keep({ term, vote, batches }: Save, count: number): void {
    this.ballot = { term, vote }
    this.log = replace(this.log, entriesOf(batches.slice(0, count)))
  }
}

/** Entries in their places; one that is not after the last replaces everything from its index on. */
export function replace(log: readonly Entry[], entries: readonly Entry[]): readonly Entry[] {
  const result = [...log]
  for (const entry of entries) {
    if (entry.index > result.length + 1) throw new Error(`a gap before entry ${entry.index}`)
    result.length = entry.index - 1
    result.push(entry)
  }
  return result
}
