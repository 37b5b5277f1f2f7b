import { crc32 } from 'node:zlib'
import type { Batch, Kind } from '../../../lib/batch.ts'
import type { Save } from '../../../lib/storage.ts'
import type { Ballot, Position } from '../../../lib/types.ts'
import { checksumOf, joinChecksums, LARGE_BYTES } from '../../checksums.ts'
import { isZero, readU64, SECTOR, writeU64 } from './numbers.ts'

/**
 * A record is what one write appends: a header, parts (a ballot, a reset, runs of entries) and a trailer.
 * docs/formats.md gives the bytes.
 */
export const RECORD_HEADER = 48
const RECORD_TRAILER = 8

/** The longest body that a record can have. */
export const MAX_BODY = 2 ** 30

const MAGIC = 0x65527872
const TRAILER = Buffer.from('rxraft\n\xff', 'latin1')
const BALLOT_PART = 1
const ENTRIES_PART = 2
const RESET_PART = 3
const BALLOT_HEADER = 16
const ENTRIES_HEADER = 32
const RESET_LENGTH = 24

/** The number that stands for each kind. */
const KIND_NUMBERS: Readonly<Record<Kind, number>> = {
  ...{ command: 0, noop: 1, members: 2, request: 3, withheld: 4 },
}
const KINDS = Object.keys(KIND_NUMBERS) as Kind[]

/** Where a record stands: part of what its checksum covers, so that it is valid nowhere else. */
export interface Place {
  readonly logId: bigint
  readonly segment: number
  readonly offset: number
  /** Counts the records of a log from 1. */
  readonly sequence: number
}

/** A record whose checksum is right, wherever it was meant to stand. */
export interface LogRecord extends Place {
  /** Offset of what follows the record. */
  readonly end: number
  readonly body: Buffer
}

/** What a body holds. */
export interface Content {
  readonly ballot: Ballot | undefined
  /** The log before the batches is forgotten and goes on behind this entry. */
  readonly reset: Position | undefined
  readonly batches: readonly Batch[]
}

/** Length of a record with a body of this length: a multiple of 8, as every record's offset is. */
export const recordLength = (body: number): number =>
  RECORD_HEADER + Math.ceil(body / 8) * 8 + RECORD_TRAILER

export function bodyLength(ballot: Ballot | undefined, saves: readonly Save[]): number {
  let length =
    ballot === undefined ? 0 : BALLOT_HEADER + Buffer.byteLength(ballot.vote ?? '', 'utf8')
  if (saves[0]?.reset !== undefined) length += RESET_LENGTH
  for (const save of saves) {
    for (const batch of save.batches) length += ENTRIES_HEADER + batch.bytes.length
  }
  return length
}

/**
 * Writes a record to the start of `target` and returns its length. Of the saves only the first may reset
 * the log.
 */
export function encodeRecord(
  target: Buffer,
  place: Place,
  ballot: Ballot | undefined,
  saves: readonly Save[],
): number {
  let at = RECORD_HEADER
  if (ballot !== undefined) at = encodeBallot(target, at, ballot)
  const reset = saves[0]?.reset
  if (reset !== undefined) at = encodeReset(target, at, reset)
  const start = at
  for (const save of saves) {
    for (const batch of save.batches) at = encodeBatch(target, at, batch)
  }
  const body = at - RECORD_HEADER
  const length = recordLength(body)
  target.fill(0, at, length - RECORD_TRAILER)
  TRAILER.copy(target, length - RECORD_TRAILER)

  encodeRecordHeader(target, place, length, body)
  target.writeUInt32LE(sumUp(target.subarray(0, length), start, saves), 4)
  return length
}

/** Everything of the header but the checksum of the whole. */
function encodeRecordHeader(target: Buffer, place: Place, length: number, body: number): void {
  target.writeUInt32LE(MAGIC, 0)
  target.writeUInt32LE(place.segment, 12)
  target.writeBigUInt64LE(place.logId, 16)
  writeU64(target, place.sequence, 24)
  target.writeUInt32LE(place.offset, 32)
  target.writeUInt32LE(zeroSectors(target, 0, length, place.offset), 36)
  target.writeUInt32LE(0, 40)
  target.writeUInt32LE(body, 44)
  target.writeUInt32LE(crc32(target.subarray(12, RECORD_HEADER)), 8)
}

/** The checksum of a record whose batches begin at `at`. Large ones bring their own. */
function sumUp(record: Buffer, at: number, saves: readonly Save[]): number {
  let crc = 0
  let from = 8
  for (const { batches } of saves) {
    for (const { bytes } of batches) {
      const start = at + ENTRIES_HEADER
      at = start + bytes.length
      if (bytes.length < LARGE_BYTES) continue
      const before = crc32(record.subarray(from, start), crc)
      crc = joinChecksums(before, checksumOf(bytes), bytes.length)
      from = at
    }
  }
  return crc32(record.subarray(from), crc)
}

function encodeBallot(target: Buffer, at: number, ballot: Ballot): number {
  const vote = ballot.vote ?? ''
  const length = target.write(vote, at + BALLOT_HEADER, 'utf8')
  target.writeUInt32LE(BALLOT_PART | ((ballot.vote === undefined ? 0 : 1) << 8), at)
  target.writeUInt32LE(length, at + 4)
  writeU64(target, ballot.term, at + 8)
  return at + BALLOT_HEADER + length
}

function encodeReset(target: Buffer, at: number, { index, term }: Position): number {
  target.writeUInt32LE(RESET_PART, at)
  target.writeUInt32LE(0, at + 4)
  writeU64(target, index, at + 8)
  writeU64(target, term, at + 16)
  return at + RESET_LENGTH
}

function encodeBatch(target: Buffer, at: number, batch: Batch): number {
  target.writeUInt32LE(ENTRIES_PART | (KIND_NUMBERS[batch.kind] << 8), at)
  target.writeUInt32LE(batch.count, at + 4)
  writeU64(target, batch.index, at + 8)
  writeU64(target, batch.term, at + 16)
  target.writeUInt32LE(batch.bytes.length, at + 24)
  target.writeUInt32LE(0, at + 28)
  target.set(batch.bytes, at + ENTRIES_HEADER)
  return at + ENTRIES_HEADER + batch.bytes.length
}

/** The record at `at`, if there is a whole one and its checksum is right. */
export function readRecord(bytes: Buffer, at: number): LogRecord | undefined {
  if (at + RECORD_HEADER > bytes.length || bytes.readUInt32LE(at) !== MAGIC) return undefined
  const body = bytes.readUInt32LE(at + 44)
  const end = at + recordLength(body)
  if (end > bytes.length) return undefined
  if (crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32LE(at + 4)) return undefined
  return {
    logId: bytes.readBigUInt64LE(at + 16),
    segment: bytes.readUInt32LE(at + 12),
    offset: bytes.readUInt32LE(at + 32),
    sequence: readU64(bytes, at + 24),
    end,
    body: bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + body),
  }
}

/** What an intact header says about its record, whatever became of the rest. */
export interface Announced {
  readonly end: number
  /** Sectors within the record that were written as nothing but zeros. */
  readonly zeroSectors: number
}

/** The header at `at`, if it is intact, whatever follows it. */
export function readHeader(bytes: Buffer, at: number): Announced | undefined {
  if (at + RECORD_HEADER > bytes.length || bytes.readUInt32LE(at) !== MAGIC) return undefined
  const checksum = crc32(bytes.subarray(at + 12, at + RECORD_HEADER))
  if (checksum !== bytes.readUInt32LE(at + 8)) return undefined
  return {
    end: at + recordLength(bytes.readUInt32LE(at + 44)),
    zeroSectors: bytes.readUInt32LE(at + 36),
  }
}

/** What a body holds, as views on it. Throws `RangeError` when it is no body. */
export function decodeBody(body: Buffer): Content {
  let ballot: Ballot | undefined
  let reset: Position | undefined
  const batches: Batch[] = []
  let at = 0
  while (at < body.length) {
    const type = body[at]!
    if (type === BALLOT_PART) {
      ballot = decodeBallot(body, at)
      at += BALLOT_HEADER + body.readUInt32LE(at + 4)
    } else if (type === RESET_PART) {
      if (batches.length > 0) throw new RangeError('a reset comes behind entries')
      reset = { index: readU64(body, at + 8), term: readU64(body, at + 16) }
      at += RESET_LENGTH
    } else if (type === ENTRIES_PART) {
      batches.push(decodeBatch(body, at))
      at += ENTRIES_HEADER + body.readUInt32LE(at + 24)
    } else {
      throw new RangeError(`a part of type ${type} is unknown`)
    }
  }
  if (at !== body.length) throw new RangeError('the last part is cut short')
  return { ballot, reset, batches }
}

function decodeBallot(body: Buffer, at: number): Ballot {
  const start = at + BALLOT_HEADER
  const vote = body.toString('utf8', start, start + body.readUInt32LE(at + 4))
  return { term: readU64(body, at + 8), vote: body[at + 1] === 0 ? undefined : vote }
}

function decodeBatch(body: Buffer, at: number): Batch {
  const kind = KINDS.find((name) => KIND_NUMBERS[name] === body[at + 1])
  if (kind === undefined) throw new RangeError(`entries of kind ${body[at + 1]} are unknown`)
  const start = at + ENTRIES_HEADER
  return {
    index: readU64(body, at + 8),
    term: readU64(body, at + 16),
    kind,
    count: body.readUInt32LE(at + 4),
    bytes: body.subarray(start, start + body.readUInt32LE(at + 24)),
  }
}

/**
 * How many whole sectors of the record's body are zero. `start` and `end` are where the record lies in
 * `bytes`, `offset` where it lies in the file.
 */
export function zeroSectors(bytes: Buffer, start: number, end: number, offset: number): number {
  const firstByte = offset + RECORD_HEADER
  let at = start + Math.ceil(firstByte / SECTOR) * SECTOR - offset
  let count = 0
  for (; at + SECTOR <= end; at += SECTOR) {
    if (bytes[at] === 0 && isZero(bytes, at, at + SECTOR)) count++
  }
  return count
}

/** Whether the last byte of the trailer that belongs before `end` is still zero: no bit flip makes it so. */
export const lacksTrailer = (bytes: Buffer, end: number): boolean => bytes[end - 1] === 0
