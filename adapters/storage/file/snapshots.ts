import { crc32 } from 'node:zlib'
import type {
  ChunkRead,
  ChunkRefused,
  ChunkWritten,
  Notice,
  ReadChunk,
  WriteChunk,
} from '../../../lib/storage.ts'
import type { Mark } from '../../../lib/types.ts'
import { extend, gone, isWhole, type Draft } from '../chunks.ts'
import { isFull, type FileSystem } from './filesystem.ts'
import { giveBack } from './giveBack.ts'
import type { OpenLog } from './open.ts'
import { Pace } from './pace.ts'
import { Rooms } from './rooms.ts'
import { SnapshotDraft, type Place } from './snapshotDraft.ts'
import { readPiece, type OpenSnapshot } from './snapshotReader.ts'

/** Who hears of the pieces. */
export interface SnapshotListener {
  /** The snapshot is durable, and no other one will be read any more. */
  taken(mark: Mark): void
  answered(fact: ChunkRead | ChunkRefused | ChunkWritten | Notice): void
  /** Everything is answered. */
  idled(): void
  /** Nothing more will be read or written. */
  failed(error: unknown): void
}

/** Writes and reads the pieces of snapshots, one after the other, beside the writes of the log. */
export class Snapshots {
  private readonly waiting: (ReadChunk | WriteChunk)[] = []
  private working: Promise<void> | undefined
  private stopped = false
  private readonly pace = new Pace()
  private draft: Draft | undefined
  private file: SnapshotDraft | undefined

  private readonly rooms = new Rooms()
  private newest: OpenSnapshot | undefined
  /** Settles when the older ones are gone. */
  private removed = Promise.resolve()

  constructor(
    private readonly files: FileSystem,
    private readonly place: Place & Pick<OpenLog, 'snapshot'>,
    private readonly listener: SnapshotListener,
  ) {
    this.newest = place.snapshot
  }

  /** Whether everything is answered. */
  get idle(): boolean {
    return this.working === undefined
  }

  push(request: ReadChunk | WriteChunk): void {
    if (this.stopped) return
    this.waiting.push(request)
    this.working ??= this.work()
  }

  /** Lets the piece in flight finish, and forgets a snapshot that is not. */
  async close(): Promise<void> {
    this.stopped = true
    this.pace.hurry()
    await this.working
    await this.removed
    await this.file?.discard()
    if (this.newest !== undefined) await this.files.close(this.newest.fd)
  }

  private async work(): Promise<void> {
    try {
      for (let it = this.waiting.shift(); it !== undefined; it = this.waiting.shift()) {
        const facts = it.type === 'readChunk' ? [await this.read(it)] : await this.write(it)
        if (this.stopped) return
        for (const fact of facts) this.listener.answered(fact)
      }
      this.working = undefined
      this.listener.idled()
    } catch (error) {
      this.fail(error)
    }
  }

  private async read(request: ReadChunk): Promise<ChunkRead> {
    const { reader, index, offset } = request
    const { newest } = this
    if (newest?.mark.index !== index || offset > newest.size) return gone(request)
    const bytes = await readPiece(this.files, newest, offset, this.rooms.next(reader))
    const isLast = offset + bytes.length === newest.size
    if (isLast) this.rooms.leave(reader)
    const checksum = isLast ? newest.checksum : undefined
    return { type: 'chunkRead', reader, index, offset, bytes, isLast, checksum }
  }

  private async write(chunk: WriteChunk): Promise<(ChunkRefused | ChunkWritten | Notice)[]> {
    const draft = extend(this.draft, chunk, this.newest?.mark, crc32)
    const { index } = chunk.mark
    this.draft = draft
    try {
      if (await this.keep(draft, chunk)) {
        return [{ type: 'chunkWritten', index, end: draft.end, isLast: chunk.isLast }]
      }
    } catch (error) {
      if (!isFull(error)) throw error
      await this.discard()
      return [noSpace(index, error), { type: 'chunkRefused', index }]
    }
    await this.discard()
    return [{ type: 'chunkRefused', index }]
  }

  /** Resolves with `false` when the whole is not what it should be. */
  private async keep(draft: Draft, chunk: WriteChunk): Promise<boolean> {
    if (chunk.offset === 0) {
      await this.file?.discard()
      this.file = undefined
      this.file = await SnapshotDraft.create(this.files, this.place, chunk.mark)
    }
    const file = this.file!
    await file.add(chunk.bytes, this.pace)
    if (!chunk.isLast) return true
    if (!isWhole(draft, chunk)) return false
    this.adopt(await file.finish(draft.checksum))
    return true
  }

  private adopt(snapshot: OpenSnapshot): void {
    const older = this.newest
    this.newest = snapshot
    this.draft = undefined
    this.file = undefined
    this.listener.taken(snapshot.mark)
    if (older === undefined) return
    const isReplaced = older.file === snapshot.file
    this.removed = this.removed
      .then(() => this.remove(older, isReplaced))
      .catch((error: unknown) => this.fail(error))
  }

  /** Nobody waits for it: it takes a while. */
  private async remove(older: OpenSnapshot, isReplaced: boolean): Promise<void> {
    await giveBack(this.files, older, this.pace)
    if (!isReplaced) await this.files.remove(older.file)
  }

  private fail(error: unknown): void {
    this.stopped = true
    this.listener.failed(error)
  }

  private async discard(): Promise<void> {
    this.draft = undefined
    await this.file?.discard()
    this.file = undefined
  }
}

const noSpace = (index: number, cause: unknown): Notice => ({
  type: 'notice',
  source: 'storage',
  code: 'snapshot-no-space',
  message: `the disk has no space for the snapshot through entry ${index}: the older one stands`,
  cause,
})
