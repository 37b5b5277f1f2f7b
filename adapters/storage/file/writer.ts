import { firstValueFrom, merge, ReplaySubject, timer } from 'rxjs'
import { StorageError } from '../../../lib/errors.ts'
import type { Save } from '../../../lib/storage.ts'
import type { Ballot, Index, Mark } from '../../../lib/types.ts'
import { advance, checkForget, type Standing } from '../log.ts'
import { append } from './append.ts'
import { beforeBlock } from './blocks.ts'
import { ClosedSegments } from './closedSegments.ts'
import { isFull, type FileSystem } from './filesystem.ts'
import type { OpenLog } from './open.ts'
import { Page } from './page.ts'
import { bodyLength, encodeRecord, MAX_BODY, recordLength } from './record.ts'
import {
  createSegment,
  encodeHeader,
  discardPrepared,
  prepareSegment,
  SEGMENT_HEADER,
} from './segment.ts'

/** Who hears of the writes. */
export interface Listener {
  /** These saves, in order, will survive a power loss. */
  durable(saves: readonly Save[]): void
  /** There is no room for another segment, or there is again. */
  space(isShort: boolean): void
  /** Nothing more will be written. */
  failed(error: unknown): void
}

/** A write takes saves until it has this many bytes, so that a long queue is acknowledged bit by bit. */
const WRITE_BYTES = 4 << 20

/** Milliseconds until a full disk is tried again. */
export const RETRY_MS = 1_000

/**
 * Appends saves to a log: one write in flight, and what arrives meanwhile goes into the next one, as one
 * record (group commit).
 */
export class Writer {
  private waiting: Save[] = []
  private busy = false
  private stopped = false
  private whenQuiet: (() => void) | undefined
  private readonly closing$ = new ReplaySubject<number>(1)

  private readonly standing: Standing
  private readonly logId: bigint
  private readonly cluster: string | undefined
  private readonly directory: string
  private sequence: number
  private number: number
  private fd: number
  private end: number
  private page: Page
  /** Settles when the zeros of the next segment are there, with the flag to write them under. */
  private prepared: Promise<number>
  /** What the segment's records say the ballot is. */
  private written: Ballot | undefined
  private readonly closed: ClosedSegments

  constructor(
    private readonly files: FileSystem,
    private readonly segmentSize: number,
    log: OpenLog,
    private readonly listener: Listener,
  ) {
    this.standing = log.standing
    this.logId = log.logId
    this.cluster = log.cluster
    this.directory = log.directory
    this.sequence = log.sequence
    this.number = log.number
    this.fd = log.fd
    this.end = log.content.length
    this.page = new Page(log.content)
    this.prepared = this.prepare()
    this.closed = new ClosedSegments(files, log, (error) => this.fail(error))
  }

  /** Whether every save has been told durable. */
  get idle(): boolean {
    return !this.busy && this.waiting.length === 0
  }

  push(save: Save): void {
    if (!this.check(() => advance(this.standing, save))) return
    this.waiting.push(save)
    if (!this.busy) this.begin()
  }

  /** A snapshot is durable. */
  taken(snapshot: Mark): void {
    this.standing.snapshot = snapshot
  }

  /** Removes segments in which no entry from `before` on is. */
  forget(before: Index): void {
    if (this.check(() => checkForget(this.standing, before))) this.closed.forget(before)
  }

  /** Whether this may be done: what contradicts the log ends it. */
  private check(act: () => void): boolean {
    if (this.stopped) return false
    try {
      act()
      return true
    } catch (error) {
      this.fail(error)
      return false
    }
  }

  /** Lets the write in flight finish, starts no other and closes the file. */
  async close(): Promise<void> {
    this.stopped = true
    this.closing$.next(0)
    if (this.busy) await new Promise<void>((resolve) => (this.whenQuiet = resolve))
    await this.prepared.catch(() => undefined)
    await this.closed.close()
    await this.files.close(this.fd)
    await discardPrepared(this.files, this.directory, this.number + 1)
  }

  private begin(): void {
    this.busy = true
    const group = this.take()
    const length = recordLength(bodyLength(group.at(-1), group))
    if (length > MAX_BODY) {
      this.gaveUp(new StorageError(`a save of ${length} bytes is too long: at most ${MAX_BODY}`))
    } else if (this.end > SEGMENT_HEADER && this.end + length > this.segmentSize) {
      this.roll(SEGMENT_HEADER + length).then(
        () => this.write(group),
        (error: unknown) => this.gaveUp(error),
      )
    } else {
      this.write(group)
    }
  }

  /** The saves of the next write: one that resets the log begins a record. */
  private take(): Save[] {
    let bytes = 0
    let count = 0
    while (count < this.waiting.length && bytes < WRITE_BYTES) {
      if (count > 0 && this.waiting[count]!.reset !== undefined) break
      for (const batch of this.waiting[count]!.batches) bytes += batch.bytes.length
      count++
    }
    if (count < this.waiting.length) return this.waiting.splice(0, count)
    const all = this.waiting
    this.waiting = []
    return all
  }

  private write(group: readonly Save[]): void {
    const { term, vote } = group.at(-1)!
    const isNews = term !== this.written?.term || vote !== this.written.vote
    const ballot =
      isNews || group.every((save) => save.batches.length === 0) ? { term, vote } : undefined
    const length = this.encode(ballot, group)
    const blocks = this.page.blocks(length)
    const position = beforeBlock(this.end)
    this.end += length
    this.written = { term, vote }
    append(this.files, this.fd, blocks, position, (error) => {
      if (error !== null) return this.gaveUp(error)
      this.page.advance(length)
      this.done(group)
    })
  }

  private encode(ballot: Ballot | undefined, group: readonly Save[]): number {
    const room = this.page.room(recordLength(bodyLength(ballot, group)))
    this.sequence++
    const { logId, number: segment, end: offset, sequence } = this
    return encodeRecord(room, { logId, segment, offset, sequence }, ballot, group)
  }

  private done(group: readonly Save[]): void {
    this.busy = false
    this.closed.written(this.number, group)
    if (this.stopped) {
      this.whenQuiet?.()
      return
    }
    // The disk gets its next write before anybody thinks about the last one.
    if (this.waiting.length > 0) this.begin()
    this.listener.durable(group)
  }

  /** The write in flight has failed. */
  private gaveUp(error: unknown): void {
    this.busy = false
    this.whenQuiet?.()
    this.fail(error)
  }

  /** Nothing more is written; a write may still be in flight. */
  private fail(error: unknown): void {
    this.stopped = true
    this.waiting = []
    this.listener.failed(error)
  }

  /** Goes on in a new segment. The last one is durable by now: nothing of it is in flight. */
  private async roll(size: number): Promise<void> {
    const number = this.number + 1
    const direct = await this.roomFor(size)
    const { logId, cluster, sequence } = this
    const header = encodeHeader({ number, logId, firstSequence: sequence + 1, cluster })
    const fd = await createSegment(this.files, this.directory, number, header, direct)
    const last = this.fd
    this.fd = fd
    this.number = number
    this.end = header.length
    this.page.start(header)
    this.written = undefined
    this.prepared = this.prepare()
    await this.files.close(last)
  }

  /** A record that is longer than a segment gets a longer one: a full disk must not refuse its end. */
  private async roomFor(size: number): Promise<number> {
    const direct = await this.prepared
    if (size <= this.segmentSize) return direct
    this.prepared = this.prepare(size)
    return this.prepared
  }

  /** Prepares the next segment beside the appends to this one. What fails is told when it is needed. */
  private prepare(size = this.segmentSize): Promise<number> {
    const prepared = this.prepareOnceThereIsRoom(this.number + 1, size)
    prepared.catch(() => undefined)
    return prepared
  }

  /** A full disk is tried again: meanwhile the log goes on where it is, until that segment is full, too. */
  private async prepareOnceThereIsRoom(number: number, size: number): Promise<number> {
    let isShort = false
    for (;;) {
      try {
        const direct = await prepareSegment(this.files, this.directory, number, size)
        if (isShort) this.listener.space(false)
        return direct
      } catch (error) {
        if (!isFull(error) || this.stopped) throw error
        await discardPrepared(this.files, this.directory, number)
        if (!isShort) this.listener.space(true)
        isShort = true
        await firstValueFrom(merge(timer(RETRY_MS), this.closing$))
      }
    }
  }
}
