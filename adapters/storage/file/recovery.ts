import { join } from 'node:path'
import type { Batch } from '../../../lib/batch.ts'
import { CorruptLog, InvariantError } from '../../../lib/errors.ts'
import type { Index } from '../../../lib/types.ts'
import { advance, emptyStanding, place, type Standing } from '../log.ts'
import { judge } from './damage.ts'
import type { FileSystem } from './filesystem.ts'
import { decodeBody, readRecord, type Content, type LogRecord } from './record.ts'
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
  /** The last index of the log when the segment ended. */
  readonly lastIndex: Index
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
 * Reads and verifies a whole log and changes nothing: what opening it, inspecting and verifying it have
 * in common. Rejects with `CorruptLog` or `UnknownFormat`.
 */
export async function recover(files: FileSystem, directory: string): Promise<Recovered> {
  const numbers = segmentNumbers(await files.list(directory))
  const reading = new Reading()
  for (const [i, number] of numbers.entries()) {
    const path = join(directory, segmentName(i + 1))
    if (number !== i + 1) throw new CorruptLog(path, 0, 'the file is missing', REMEDY)
    reading.segment(path, number, await files.readFile(path), i === numbers.length - 1)
  }
  return reading
}

/** A log as far as it has been read. */
class Reading implements Recovered {
  logId: bigint | undefined
  readonly segments: SegmentSummary[] = []
  readonly standing = emptyStanding()
  readonly batches: Batch[] = []
  sequence = 0
  tail: Buffer | undefined
  torn: Torn | undefined

  segment(path: string, number: number, bytes: Buffer, isLast: boolean): void {
    this.header(path, number, decodeHeader(bytes, path))
    const before = this.sequence
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
      lastIndex: this.standing.lastIndex,
    })
  }

  private header(path: string, number: number, header: SegmentHeader): void {
    this.logId ??= header.logId
    if (header.number !== number) throw corrupt(path, 0, `this is segment ${header.number}`)
    if (header.logId !== this.logId) throw corrupt(path, 0, 'the file belongs to another log')
    if (header.firstSequence !== this.sequence + 1) {
      const missing = `records ${this.sequence + 1} to ${header.firstSequence - 1} are missing`
      throw corrupt(this.segments.at(-1)?.file ?? path, this.tail?.length ?? 0, missing)
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

  private content({ ballot, batches }: Content): void {
    advance(this.standing, { ...(ballot ?? this.standing), batches })
    for (const batch of batches) place(this.batches, batch)
  }
}

const corrupt = (path: string, offset: number, reason: string): CorruptLog =>
  new CorruptLog(path, offset, reason, REMEDY)
