import { Observable, type Subscriber } from 'rxjs'
import { RaftError, StorageError } from '../../../lib/errors.ts'
import type { Notice, Restored, Save, Saved } from '../../../lib/storage.ts'
import type { Storage } from '../../../operators/adapters.ts'
import type { FileSystem } from './filesystem.ts'
import { lockDirectory } from './lock.ts'
import { makeDirectory, openLog, type OpenLog } from './open.ts'
import { Writer, type Listener } from './writer.ts'

/** The file storage on any file system. */
export function fileStorage(files: FileSystem, directory: string, segmentSize: number): Storage {
  return (save$) =>
    new Observable((subscriber) => {
      const session = new Session(files, directory, segmentSize, subscriber)
      subscriber.add(
        save$.subscribe({
          next: (save) => session.save(save),
          error: (error: unknown) => subscriber.error(error),
          complete: () => session.finish(),
        }),
      )
      session.run().catch((error: unknown) => session.failed(error))
    })
}

/** One subscription, from the lock to the release. */
class Session implements Listener {
  /** What came before the log was open. */
  private readonly early: Save[] = []
  private writer: Writer | undefined
  private isFinished = false

  constructor(
    private readonly files: FileSystem,
    private readonly directory: string,
    private readonly segmentSize: number,
    private readonly subscriber: Subscriber<Restored | Saved | Notice>,
  ) {}

  /** Resolves when nothing is open any more. */
  async run(): Promise<void> {
    const { files, directory, subscriber } = this
    const unsubscribed = new Promise<void>((resolve) => subscriber.add(resolve))
    await makeDirectory(files, directory)
    const release = await lockDirectory(directory, () => subscriber.closed)
    try {
      const log = await openLog(files, directory, this.segmentSize)
      const writer = new Writer(files, this.segmentSize, log, this)
      this.start(log, writer)
      await unsubscribed
      await writer.close()
    } finally {
      await release()
    }
  }

  save(save: Save): void {
    if (this.writer === undefined) this.early.push(save)
    else this.writer.push(save)
  }

  /** No more saves will come. */
  finish(): void {
    this.isFinished = true
    this.completeWhenIdle()
  }

  durable(saves: readonly Save[]): void {
    for (const { sequence, term } of saves) {
      this.subscriber.next({ type: 'saved', sequence, term })
    }
    this.completeWhenIdle()
  }

  failed(error: unknown): void {
    this.subscriber.error(asRaftError(error, this.directory))
  }

  private start(log: OpenLog, writer: Writer): void {
    this.subscriber.next(log.restored)
    for (const notice of log.notices) this.subscriber.next(notice)
    if (this.subscriber.closed) return
    this.writer = writer
    for (const save of this.early.splice(0)) writer.push(save)
    this.completeWhenIdle()
  }

  private completeWhenIdle(): void {
    if (this.isFinished && this.writer?.idle === true) this.subscriber.complete()
  }
}

function asRaftError(error: unknown, directory: string): RaftError {
  if (error instanceof RaftError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new StorageError(`the log in ${directory} failed: ${reason}`, { cause: error })
}
