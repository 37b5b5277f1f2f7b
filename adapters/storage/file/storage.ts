import { Observable } from 'rxjs'
import { RaftError, StorageError } from '../../../lib/errors.ts'
import type { Notice, Restored, Save, Saved } from '../../../lib/storage.ts'
import type { Storage } from '../../../operators/adapters.ts'
import type { FileSystem } from './filesystem.ts'
import { lockDirectory } from './lock.ts'
import { makeDirectory, openLog } from './open.ts'
import { Writer } from './writer.ts'

/** The file storage on any file system: {@link file} is this on the real one. */
export function fileStorage(files: FileSystem, directory: string, segmentSize: number): Storage {
  return (save$) =>
    new Observable<Restored | Saved | Notice>((subscriber) => {
      const early: Save[] = []
      let writer: Writer | undefined
      let finished = false
      const completeWhenIdle = (): void => {
        if (finished && writer?.idle === true) subscriber.complete()
      }
      const fail = (error: unknown): void => subscriber.error(asRaftError(error, directory))
      const durable = (saves: readonly Save[]): void => {
        for (const { sequence, term } of saves) subscriber.next({ type: 'saved', sequence, term })
        completeWhenIdle()
      }

      const unsubscribed = new Promise<void>((resolve) => subscriber.add(resolve))
      const session = async (): Promise<void> => {
        await makeDirectory(files, directory)
        const release = await lockDirectory(directory, () => subscriber.closed)
        try {
          const log = await openLog(files, directory)
          const opened = new Writer(files, segmentSize, log, { durable, failed: fail })
          subscriber.next(log.restored)
          for (const notice of log.notices) subscriber.next(notice)
          writer = opened
          if (!subscriber.closed) for (const save of early.splice(0)) opened.push(save)
          completeWhenIdle()
          await unsubscribed
          await opened.close()
        } finally {
          await release()
        }
      }

      subscriber.add(
        save$.subscribe({
          next: (save) => (writer === undefined ? early.push(save) : writer.push(save)),
          error: (error) => subscriber.error(error),
          complete: () => {
            finished = true
            completeWhenIdle()
          },
        }),
      )
      session().catch(fail)
    })
}

function asRaftError(error: unknown, directory: string): RaftError {
  if (error instanceof RaftError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new StorageError(`the log in ${directory} failed: ${reason}`, { cause: error })
}
