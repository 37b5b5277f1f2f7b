import { StorageError } from '../../../lib/errors.ts'
import type { Save } from '../../../lib/storage.ts'
import type { Ballot } from '../../../lib/types.ts'
import { advance, type Standing } from '../log.ts'
import { append, appendSync } from './append.ts'
import type { FileSystem } from './filesystem.ts'
import type { OpenLog } from './open.ts'
import type { Pace } from './pace.ts'
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
  /** Nothing more will be written. */
  failed(error: unknown): void
}

/** A write takes saves until it has this many bytes, so that a long queue is acknowledged bit by bit. */
const WRITE_BYTES = 4 << 20

/** Room for the records of a moderate load. */
const FIRST_BUFFER = 1 << 20

/** A buffer that grew beyond this for one large save is let go. */
const KEEP_BYTES = 8 << 20

/**
 * Appends saves to a log: one write in flight, and what arrives meanwhile goes into the next one, as one
 * record (group commit).
 */
export class Writer {
  private waiting: Save[] = []
  private busy = false
  private stopped = false
  private buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER)
  private whenQuiet: (() => void) | undefined

  private readonly standing: Standing
  private readonly logId: bigint
  private readonly directory: string
  private sequence: number
  private number: number
  private fd: number
  private end: number
  /** Settles when the zeros of the next segment are there. */
  private prepared: Promise<void>
  /** What the segment's records say the ballot is. */
  private written: Ballot | undefined

  constructor(
    private readonly files: FileSystem,
    private readonly segmentSize: number,
    private readonly pace: Pace,
    log: OpenLog,
    private readonly listener: Listener,
  ) {
    this.standing = log.standing
    this.logId = log.logId
    this.directory = log.directory
    this.sequence = log.sequence
    this.number = log.number
    this.fd = log.fd
    this.end = log.end
    this.prepared = this.prepare()
  }

  /** Whether every save has been told durable. */
  get idle(): boolean {
    return !this.busy && this.waiting.length === 0
  }

  push(save: Save): void {
    if (this.stopped) return
    try {
      advance(this.standing, save)
    } catch (error) {
      this.fail(error)
      return
    }
    this.waiting.push(save)
    if (!this.busy) this.begin()
  }

  /** Lets the write in flight finish, starts no other and closes the file. */
  async close(): Promise<void> {
    this.stopped = true
    if (this.busy) await new Promise<void>((resolve) => (this.whenQuiet = resolve))
    await this.prepared.catch(() => undefined)
    await this.files.close(this.fd)
    await discardPrepared(this.files, this.directory, this.number + 1)
  }

  /** Where a write holds up the loop, what this turn of it sends goes out first. */
  private begin(): void {
    this.busy = true
    if (this.pace.isQuick) setImmediate(() => this.flush())
    else this.flush()
  }

  private flush(): void {
    if (this.stopped) {
      this.busy = false
      this.whenQuiet?.()
      return
    }
    const group = this.take()
    const length = recordLength(bodyLength(group.at(-1), group))
    if (length > MAX_BODY) {
      this.fail(new StorageError(`a save of ${length} bytes is too long: at most ${MAX_BODY}`))
    } else if (this.end > SEGMENT_HEADER && this.end + length > this.segmentSize) {
      this.roll().then(
        () => this.write(group),
        (error: unknown) => this.fail(error),
      )
    } else {
      this.write(group)
    }
  }

  /** The saves of the next write. */
  private take(): Save[] {
    let bytes = 0
    let count = 0
    while (count < this.waiting.length && bytes < WRITE_BYTES) {
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
    const position = this.end
    this.end += length
    this.written = { term, vote }
    const ended = this.pace.begin()
    const written = (error: unknown): void => {
      ended()
      if (error === null) this.done(group)
      else this.fail(error)
    }
    if (this.pace.isQuick) written(attempt(() => this.appendSync(length, position)))
    else append(this.files, this.fd, this.buffer, length, position, written)
  }

  private appendSync(length: number, position: number): void {
    appendSync(this.files, this.fd, this.buffer, length, position)
  }

  private encode(ballot: Ballot | undefined, group: readonly Save[]): number {
    const needed = recordLength(bodyLength(ballot, group))
    if (needed > this.buffer.length || this.buffer.length > KEEP_BYTES) {
      this.buffer = Buffer.allocUnsafeSlow(needed)
    }
    this.sequence++
    const { logId, number: segment, end: offset, sequence } = this
    return encodeRecord(this.buffer, { logId, segment, offset, sequence }, ballot, group)
  }

  private done(group: readonly Save[]): void {
    this.busy = false
    if (this.stopped) {
      this.whenQuiet?.()
      return
    }
    // The disk gets its next write before anybody thinks about the last one.
    if (this.waiting.length > 0) this.begin()
    this.listener.durable(group)
  }

  private fail(error: unknown): void {
    this.busy = false
    this.stopped = true
    this.waiting = []
    this.whenQuiet?.()
    this.listener.failed(error)
  }

  /** Goes on in a new segment. The last one is durable by now: nothing of it is in flight. */
  private async roll(): Promise<void> {
    const number = this.number + 1
    await this.prepared
    const header = { number, logId: this.logId, firstSequence: this.sequence + 1 }
    const fd = await createSegment(this.files, this.directory, number, encodeHeader(header))
    const last = this.fd
    this.fd = fd
    this.number = number
    this.end = SEGMENT_HEADER
    this.written = undefined
    this.prepared = this.prepare()
    await this.files.close(last)
  }

  /** Prepares the next segment beside the appends to this one. What fails is told when it is needed. */
  private prepare(): Promise<void> {
    const prepared = prepareSegment(this.files, this.directory, this.number + 1, this.segmentSize)
    prepared.catch(() => undefined)
    return prepared
  }
}

/** What the call throws, or `null`. */
function attempt(call: () => void): unknown {
  try {
    call()
    return null
  } catch (error) {
    return error
  }
}
