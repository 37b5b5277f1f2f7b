import { firstValueFrom, Observable, race, timer, type Subscriber } from 'rxjs'
import { RaftError, StorageError } from '../../../lib/errors.ts'
import type { DiskFact, DiskRequest, Notice, Save } from '../../../lib/storage.ts'
import type { Mark } from '../../../lib/types.ts'
import type { Storage } from '../../../operators/adapters.ts'
import { isFull, type FileSystem } from './filesystem.ts'
import { lockDirectory } from './lock.ts'
import { makeDirectory, openLog, type OpenLog } from './open.ts'
import { Snapshots, type SnapshotListener } from './snapshots.ts'
import { RETRY_MS, Writer, type Listener } from './writer.ts'

/** The file storage on any file system, of a server of `cluster` where that is said. */
export function fileStorage(
  files: FileSystem,
  directory: string,
  segmentSize: number,
  cluster?: string,
): Storage {
  return (request$) =>
    new Observable((subscriber) => {
      const session = new Session(files, directory, segmentSize, cluster, subscriber)
      subscriber.add(
        request$.subscribe({
          next: (request) => session.ask(request),
          error: (error: unknown) => subscriber.error(error),
          complete: () => session.finish(),
        }),
      )
      session.run().catch((error: unknown) => session.failed(error))
    })
}

/** One subscription, from the lock to the release. */
class Session implements Listener, SnapshotListener {
  /** What came before the log was open. */
  private readonly early: DiskRequest[] = []
  private writer: Writer | undefined
  private snapshots: Snapshots | undefined
  private isFinished = false

  constructor(
    private readonly files: FileSystem,
    private readonly directory: string,
    private readonly segmentSize: number,
    private readonly cluster: string | undefined,
    private readonly subscriber: Subscriber<DiskFact>,
  ) {}

  /** Resolves when nothing is open any more. */
  async run(): Promise<void> {
    const { files, directory, subscriber } = this
    const unsubscribed = new Promise<void>((resolve) => subscriber.add(resolve))
    await makeDirectory(files, directory)
    const release = await lockDirectory(directory, () => subscriber.closed)
    try {
      const log = await this.open(unsubscribed)
      if (log === undefined) return
      const writer = new Writer(files, this.segmentSize, log, this)
      const snapshots = new Snapshots(files, log, this)
      this.start(log, writer, snapshots)
      await unsubscribed
      await Promise.all([writer.close(), snapshots.close()])
    } finally {
      await release()
    }
  }

  /** Opening takes room for the last segment: a full disk is waited for, until it has some or nobody waits. */
  private async open(unsubscribed: Promise<void>): Promise<OpenLog | undefined> {
    let isShort = false
    while (!this.subscriber.closed) {
      try {
        const log = await openLog(this.files, this.directory, this.segmentSize, this.cluster)
        if (isShort) this.subscriber.next(roomNotice(this.directory, false))
        return log
      } catch (error) {
        if (!isFull(error)) throw error
        if (!isShort) this.subscriber.next(roomNotice(this.directory, true))
        isShort = true
        await firstValueFrom(race(timer(RETRY_MS), unsubscribed))
      }
    }
    return undefined
  }

  ask(request: DiskRequest): void {
    const { writer, snapshots } = this
    if (writer === undefined || snapshots === undefined) this.early.push(request)
    else if (request.type === 'save') writer.push(request)
    else if (request.type === 'forget') writer.forget(request.before)
    else snapshots.push(request)
  }

  /** No more requests will come. */
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

  space(isShort: boolean): void {
    this.subscriber.next(roomNotice(this.directory, isShort))
    this.subscriber.next({ type: 'space', isShort })
  }

  taken(mark: Mark): void {
    this.writer!.taken(mark)
  }

  answered(fact: DiskFact): void {
    this.subscriber.next(fact)
  }

  idled(): void {
    this.completeWhenIdle()
  }

  failed(error: unknown): void {
    this.subscriber.error(asRaftError(error, this.directory))
  }

  private start(log: OpenLog, writer: Writer, snapshots: Snapshots): void {
    this.subscriber.next(log.restored)
    for (const notice of log.notices) this.subscriber.next(notice)
    if (this.subscriber.closed) return
    this.writer = writer
    this.snapshots = snapshots
    for (const request of this.early.splice(0)) this.ask(request)
    this.completeWhenIdle()
  }

  private completeWhenIdle(): void {
    const isIdle = this.writer?.idle === true && this.snapshots?.idle === true
    if (this.isFinished && isIdle) this.subscriber.complete()
  }
}

const roomNotice = (directory: string, isShort: boolean): Notice => ({
  type: 'notice',
  source: 'storage',
  code: isShort ? 'no-space' : 'space-again',
  message: isShort
    ? `the disk of ${directory} is full: new entries have to wait until there is room`
    : `the disk of ${directory} has room again`,
})

function asRaftError(error: unknown, directory: string): RaftError {
  if (error instanceof RaftError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new StorageError(`the log in ${directory} failed: ${reason}`, { cause: error })
}
