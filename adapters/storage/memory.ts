import { Observable, type Subscriber } from 'rxjs'
import type { Batch } from '../../lib/batch.ts'
import type { DiskFact, DiskRequest, Restored, Save } from '../../lib/storage.ts'
import type { Index } from '../../lib/types.ts'
import type { Storage } from '../../operators/adapters.ts'
import { advance, checkForget, dropBefore, emptyStanding, place } from './log.ts'
import { readFrom, writeTo, type MemorySnapshot, type SnapshotShelf } from './memory/snapshots.ts'

/** What a memory storage keeps between two runs of a node. Made by {@link memoryDisk}. */
export interface MemoryDisk extends SnapshotShelf {
  /** What a node that starts now finds. */
  read(): Restored
  /** Throws `InvariantError` when the save contradicts what is there. */
  write(save: Save): void
  /** Throws `InvariantError` when no snapshot stands for what would be forgotten. */
  forget(before: Index): void
}

/** A disk without anything on it, which lives as long as somebody holds it. */
export function memoryDisk(): MemoryDisk {
  const standing = emptyStanding()
  const batches: Batch[] = []
  let snapshot: MemorySnapshot | undefined
  return {
    get snapshot() {
      return snapshot
    },
    set snapshot(newer) {
      snapshot = newer
      standing.snapshot = newer?.mark
    },
    read: () => {
      const { term, vote } = standing
      const restored: Restored = { type: 'restored', term, vote, batches: [...batches] }
      return snapshot === undefined ? restored : { ...restored, snapshot: snapshot.mark }
    },
    write: (save) => {
      advance(standing, save)
      if (save.reset !== undefined) batches.length = 0
      for (const batch of save.batches) place(batches, batch)
    },
    forget: (before) => {
      checkForget(standing, before)
      dropBefore(batches, before)
    },
  }
}

/**
 * A storage that forgets everything when the process ends. It is synchronous and has no timers:
 * `Restored` comes at subscription, every answer as its request arrives. A slow disk is `delay(3)` behind
 * it. A node that is started again on the same `disk` finds what it had saved.
 *
 * ```
 * requests  --a--b--c|
 * memory    R-a--b--c|
 * ```
 *
 * Errors with `InvariantError` on a request that contradicts what is already there.
 *
 * @param disk Default: a new one, kept for every subscription of the storage that is returned.
 */
export function memory(disk: MemoryDisk = memoryDisk()): Storage {
  return (request$) =>
    new Observable<DiskFact>((subscriber) => {
      const early: DiskRequest[] = []
      let isRestored = false
      let isFinished = false
      const handle = handling(disk, subscriber)
      subscriber.add(
        request$.subscribe({
          next: (request) => (isRestored ? handle(request) : early.push(request)),
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            isFinished = true
            if (isRestored) subscriber.complete()
          },
        }),
      )
      // Only now, so that a request made in answer to it is heard.
      subscriber.next(disk.read())
      for (const request of early) handle(request)
      isRestored = true
      if (isFinished) subscriber.complete()
    })
}

/** One run of a node on a disk: a snapshot that is not finished ends with it. */
function handling(
  disk: MemoryDisk,
  subscriber: Subscriber<DiskFact>,
): (request: DiskRequest) => void {
  const answer = answering(disk)
  return (request) => {
    if (subscriber.closed) return
    let fact: DiskFact | undefined
    try {
      fact = answer(request)
    } catch (error) {
      subscriber.error(error)
      return
    }
    if (fact !== undefined) subscriber.next(fact)
  }
}

function answering(disk: MemoryDisk): (request: DiskRequest) => DiskFact | undefined {
  const writeChunk = writeTo(disk)
  return (request) => {
    switch (request.type) {
      case 'save':
        disk.write(request)
        return { type: 'saved', sequence: request.sequence, term: request.term }
      case 'writeChunk':
        return writeChunk(request)
      case 'readChunk':
        return readFrom(disk, request)
      case 'forget':
        disk.forget(request.before)
        return undefined
    }
  }
}
