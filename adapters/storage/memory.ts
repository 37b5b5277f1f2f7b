import { Observable } from 'rxjs'
import type { Batch } from '../../lib/batch.ts'
import type { Restored, Save, Saved } from '../../lib/storage.ts'
import type { Storage } from '../../operators/adapters.ts'
import { advance, emptyStanding, place } from './log.ts'

/** What a memory storage keeps between two runs of a node. Made by {@link memoryDisk}. */
export interface MemoryDisk {
  /** What a node that starts now finds. */
  read(): Restored
  /** Throws `InvariantError` when the save contradicts what is there. */
  write(save: Save): void
}

/** A disk without anything on it, which lives as long as somebody holds it. */
export function memoryDisk(): MemoryDisk {
  const standing = emptyStanding()
  const batches: Batch[] = []
  return {
    read: () => ({
      type: 'restored',
      term: standing.term,
      vote: standing.vote,
      batches: [...batches],
    }),
    write: (save) => {
      advance(standing, save)
      for (const batch of save.batches) place(batches, batch)
    },
  }
}

/**
 * A storage that forgets everything when the process ends. It is synchronous and has no timers:
 * `Restored` comes at subscription, `Saved` as its `Save` arrives. A slow disk is `delay(3)` behind it.
 * A node that is started again on the same `disk` finds what it had saved.
 *
 * ```
 * saves   --a--b--c|
 * memory  R-a--b--c|
 * ```
 *
 * Errors with `InvariantError` on a save that contradicts what is already there.
 *
 * @param disk Default: a new one, kept for every subscription of the storage that is returned.
 */
export function memory(disk: MemoryDisk = memoryDisk()): Storage {
  return (save$) =>
    new Observable<Restored | Saved>((subscriber) => {
      const early: Save[] = []
      let isRestored = false
      let isFinished = false
      const write = (save: Save): void => {
        if (subscriber.closed) return
        try {
          disk.write(save)
        } catch (error) {
          subscriber.error(error)
          return
        }
        subscriber.next({ type: 'saved', sequence: save.sequence, term: save.term })
      }
      subscriber.add(
        save$.subscribe({
          next: (save) => (isRestored ? write(save) : early.push(save)),
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            isFinished = true
            if (isRestored) subscriber.complete()
          },
        }),
      )
      // Only now, so that a save made in answer to it is heard.
      subscriber.next(disk.read())
      for (const save of early) write(save)
      isRestored = true
      if (isFinished) subscriber.complete()
    })
}
