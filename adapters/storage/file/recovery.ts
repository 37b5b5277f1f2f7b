import { join } from 'node:path'
import { lastIndexOf, type Batch } from '../../../lib/batch.ts'
import { CorruptLog, InvariantError } from '../../../lib/errors.ts'
import type { Index } from '../../../lib/types.ts'
import { advance, emptyStanding, place, type Standing } from '../log.ts'
import { judge } from './damage.ts'
import type { FileSystem } from './filesystem.ts'
import { decodeBody, readRecord, type Content, type LogRecord } from './record.ts'
import { snapshotIndexes, snapshotName } from './snapshotFile.ts'
import { openSnapshot, type SnapshotSummary } from './snapshotReader.ts'
import {
  decodeHeader,
  REMEDY,
  SEGMENT_HEADER,
  segmentName,
  segmentNumbers,
  type SegmentHeader,
} from './segment.ts'

/** One segment of a log that was found in order. */
export interface SegmentSummary {
  readonly file: string
  readonly number: number
  readonly records: number
  /** Bytes of the file, and how many of them its header and records take. */
  readonly size: number
  readonly used: number
  /** The highest index of an entry in it; 0 when there is none, or the log was reset after it. */
  highest: Index
}

/** An interrupted write at the end of the last segment. */
export interface Torn {
  readonly file: string
  readonly offset: number
  readonly reason: string
}

/** Everything that a directory holds. */
export interface Recovered {
  readonly logId: bigint | undefined
  /** Which cluster the server belongs to, as the last segment says. */
  readonly cluster: string | undefined
  /** The newest whole snapshot, and the files of older ones. */
  readonly snapshot: SnapshotSummary | undefined
  readonly outdated: readonly string[]
  readonly segments: readonly SegmentSummary[]
  readonly standing: Standing
  /** Views on the segments as they were read. */
  readonly batches: readonly Batch[]
  /** The sequence of the last record; 0 when there is none. */
  readonly sequence: number
  /** The good part of the last segment. */
  readonly tail: Buffer | undefined
  readonly torn: Torn | undefined
}

/**
 * Reads and verifies a whole log, and what its snapshot says of itself, and changes nothing: what opening
 * it, inspecting and verifying it have in common. Rejects with `CorruptLog` or `UnknownFormat`.
 */
export async function recover(files: FileSystem, directory: string): Promise<Recovered> {
  const names = await files.list(directory)
  const snapshots = snapshotIndexes(names).map((index) => join(directory, snapshotName(index)))
  const newest = snapshots.pop()
  const snapshot = newest === undefined ? undefined : await readSummary(files, newest)
  const numbers = segmentNumbers(names)
  // Segments are missing at the beginning only where a snapshot stands for what they held.
  const first = snapshot === undefined ? 1 : (numbers[0] ?? 1)
  const reading = new Reading(snapshot, snapshots, first)
  if (snapshot !== undefined && numbers.length === 0) throw missing(directory, first)
  for (const [i, number] of numbers.entries()) {
    if (number !== first + i) throw missing(directory, first + i)
    const path = join(directory, segmentName(number))
    reading.segment(path, number, await files.readFile(path), i === numbers.length - 1)
  }
  reading.finish(join(directory, segmentName(Math.max(1, first - 1))))
  return reading
}

async function readSummary(files: FileSystem, path: string): Promise<SnapshotSummary> {
  const { fd, ...summary } = await openSnapshot(files, path)
  await files.close(fd)
  if (path.endsWith(snapshotName(summary.mark.index))) return summary
  throw corrupt(path, 0, `this is the snapshot through entry ${summary.mark.index}`)
}

const missing = (directory: string, number: number): CorruptLog =>
  corrupt(join(directory, segmentName(number)), 0, 'the file is missing')

/** Where the log ends before the first entry that is left of it: that one may have any index. */
const UNKNOWN = Infinity

/** A log as far as it has been read. */
class Reading implements Recovered {
  logId: bigint | undefined
  cluster: string | undefined
  readonly segments: SegmentSummary[] = []
  readonly standing = emptyStanding()
  readonly batches: Batch[] = []
  sequence = 0
  tail: Buffer | undefined
  torn: Torn | undefined
  /** As in the summary of the segment that is being read. */
  private highest = 0

  /** @param first The number of the first segment: with it begins what is not forgotten. */
  constructor(
    readonly snapshot: SnapshotSummary | undefined,
    readonly outdated: readonly string[],
    private readonly first: number,
  ) {
    this.standing.snapshot = snapshot?.mark
    if (first !== 1) this.standing.lastIndex = UNKNOWN
  }

  segment(path: string, number: number, bytes: Buffer, isLast: boolean): void {
    this.header(path, number, decodeHeader(bytes, path))
    const before = this.sequence
    this.highest = 0
    let at = SEGMENT_HEADER
    for (let record = readRecord(bytes, at); record !== undefined; record = readRecord(bytes, at)) {
      this.record(path, number, at, record)
      at = record.end
    }
    const ending = judge(bytes, at)
    if (ending.type === 'corrupt') throw corrupt(path, at, ending.reason)
    if (ending.type === 'torn') {
      if (!isLast) throw corrupt(path, at, `a record is incomplete: ${ending.reason}`)
      this.torn = { file: path, offset: at, reason: ending.reason }
    }
    this.tail = bytes.subarray(0, at)
    this.segments.push({
      file: path,
      number,
      records: this.sequence - before,
      size: bytes.length,
      used: at,
      highest: this.highest,
    })
  }

  /** Everything is read. `before` is the file that is missing if the beginning is. */
  finish(before: string): void {
    const { snapshot, standing, logId } = this
    if (snapshot !== undefined && snapshot.logId !== logId) {
      throw corrupt(snapshot.file, 0, 'the file belongs to another log')
    }
    if (this.first === 1) return
    if (standing.lastIndex === UNKNOWN) standing.lastIndex = snapshot!.mark.index
    const firstIndex = this.batches[0]?.index ?? standing.lastIndex + 1
    if (firstIndex > snapshot!.mark.index + 1) {
      const lost = `entries ${snapshot!.mark.index + 1} to ${firstIndex - 1}`
      throw corrupt(before, 0, `the file is missing, and with it ${lost}`)
    }
    if (this.segments.every(({ records }) => records === 0)) {
      throw corrupt(before, 0, 'the file is missing, and with it term and vote')
    }
  }

  private header(path: string, number: number, header: SegmentHeader): void {
    if (this.logId === undefined && this.first !== 1) this.sequence = header.firstSequence - 1
    this.logId ??= header.logId
    this.cluster = header.cluster
    if (header.number !== number) throw corrupt(path, 0, `this is segment ${header.number}`)
    if (header.logId !== this.logId) throw corrupt(path, 0, 'the file belongs to another log')
    if (header.firstSequence !== this.sequence + 1) {
      const lost = `records ${this.sequence + 1} to ${header.firstSequence - 1} are missing`
      throw corrupt(this.segments.at(-1)?.file ?? path, this.tail?.length ?? 0, lost)
    }
  }

  private record(path: string, segment: number, offset: number, record: LogRecord): void {
    const { logId, sequence } = record
    if (logId !== this.logId || record.segment !== segment || record.offset !== offset) {
      const home = `offset ${record.offset} of segment ${record.segment}`
      throw corrupt(path, offset, `the record was written for ${home} of log ${logId.toString(16)}`)
    }
    if (sequence !== this.sequence + 1) {
      const due = `record ${sequence} stands where record ${this.sequence + 1} is due`
      throw corrupt(path, offset, due)
    }
    this.sequence = sequence
    try {
      this.content(decodeBody(record.body))
    } catch (error) {
      if (error instanceof InvariantError || error instanceof RangeError) {
        throw corrupt(path, offset, error.message)
      }
      throw error
    }
  }

  private content({ ballot, reset, batches }: Content): void {
    const { term, vote } = ballot ?? this.standing
    advance(this.standing, { term, vote, batches, ...(reset !== undefined && { reset }) })
    if (reset !== undefined) this.forgetAll()
    for (const batch of batches) {
      place(this.batches, batch)
      this.highest = Math.max(this.highest, lastIndexOf(batch))
    }
  }

  private forgetAll(): void {
    this.batches.length = 0
    this.highest = 0
    for (const segment of this.segments) segment.highest = 0
  }
}

const corrupt = (path: string, offset: number, reason: string): CorruptLog =>
  new CorruptLog(path, offset, reason, REMEDY)
