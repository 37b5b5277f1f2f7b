import { crc32 } from 'node:zlib'
import { CorruptLog, UnknownFormat } from '../../../lib/errors.ts'
import type { Mark } from '../../../lib/types.ts'
import { blocks } from './blocks.ts'
import { readU64, writeU64 } from './numbers.ts'
import { REMEDY } from './segment.ts'

/**
 * A snapshot's file is a header, pieces of one length, of which the last may be shorter, and a trailer.
 * docs/formats.md gives the bytes.
 */
export const PIECE = 256 * 1024
export const PIECE_HEADER = 32

/** How much of the snapshot a piece holds. */
export const PIECE_PAYLOAD = PIECE - PIECE_HEADER

const FORMAT_VERSION = 1
const HEADER_UNIT = 4096
const MARK_OFFSET = 32
export const TRAILER = 24

/** Beginning of a file, as far as its length is told in. */
export const HEADER_START = HEADER_UNIT

const MAGIC = Buffer.from('rxsnap\0\n', 'latin1')
const TRAILER_MAGIC = Buffer.from('rxsnap\n\xff', 'latin1')

/** What a snapshot's header says. */
export interface SnapshotHeader {
  /** As in the segments of the same directory. */
  readonly logId: bigint
  readonly mark: Mark
}

/** What its trailer says. */
export interface SnapshotTrailer {
  /** Bytes of the snapshot. */
  readonly size: number
  /** Their CRC-32. */
  readonly checksum: number
}

export const snapshotName = (index: number): string => `snapshot-${index}.snap`

/** The indexes of the whole snapshots among the files of a directory, in order. */
export function snapshotIndexes(names: readonly string[]): number[] {
  const found = names.flatMap((name) => /^snapshot-([1-9]\d{0,15})\.snap$/.exec(name)?.[1] ?? [])
  return found.map(Number).sort((a, b) => a - b)
}

/** Whether the file is a snapshot that is not whole yet. */
export const isDraft = (name: string): boolean => /^snapshot-\d+\.snap\.new$/.test(name)

export function encodeSnapshotHeader({ logId, mark }: SnapshotHeader): Buffer {
  const text = Buffer.from(JSON.stringify(mark))
  const length = Math.ceil((MARK_OFFSET + text.length) / HEADER_UNIT) * HEADER_UNIT
  const header = blocks(length).subarray(0, length)
  MAGIC.copy(header)
  header.writeUInt32LE(FORMAT_VERSION, 12)
  header.writeBigUInt64LE(logId, 16)
  header.writeUInt32LE(text.length, 24)
  text.copy(header, MARK_OFFSET)
  header.writeUInt32LE(crc32(header.subarray(12)), 8)
  return header
}

/** The whole length of a header, from its beginning. Throws `CorruptLog` or `UnknownFormat`. */
export function headerLength(start: Buffer, path: string): number {
  if (start.length < HEADER_UNIT) throw corrupt(path, 0, 'the file is too short for its header')
  if (!start.subarray(0, MAGIC.length).equals(MAGIC)) throw corrupt(path, 0, 'this is no snapshot')
  const length = MARK_OFFSET + start.readUInt32LE(24)
  return Math.ceil(length / HEADER_UNIT) * HEADER_UNIT
}

/** Throws `CorruptLog` or `UnknownFormat`. */
export function decodeSnapshotHeader(header: Buffer, path: string): SnapshotHeader {
  if (header.readUInt32LE(8) !== crc32(header.subarray(12))) {
    throw corrupt(path, 0, 'the checksum of the header is wrong')
  }
  const version = header.readUInt32LE(12)
  if (version !== FORMAT_VERSION) throw new UnknownFormat(path, version)
  const text = header.toString('utf8', MARK_OFFSET, MARK_OFFSET + header.readUInt32LE(24))
  const mark = parseMark(text)
  if (mark === undefined) throw corrupt(path, 0, 'it does not say what it stands for')
  return { logId: header.readBigUInt64LE(16), mark }
}

/** What the JSON of a mark says, with whatever else a later version put there. */
function parseMark(text: string): Mark | undefined {
  let mark: Partial<Mark> | null
  try {
    mark = JSON.parse(text) as Partial<Mark> | null
  } catch {
    return undefined
  }
  const { index, term, members } = mark ?? {}
  if (!Number.isSafeInteger(index) || index! < 1) return undefined
  if (!Number.isSafeInteger(term) || term! < 0) return undefined
  if (!Array.isArray(members?.voters)) return undefined
  return members.voters.every((id) => typeof id === 'string') ? (mark as Mark) : undefined
}

/** Where a piece stands: part of what its checksum covers, so that it is valid nowhere else. */
export interface PiecePlace {
  readonly logId: bigint
  /** The snapshot's. */
  readonly index: number
  /** Bytes of the snapshot before the piece. */
  readonly offset: number
}

/** Completes a piece, whose payload lies behind the place for its header. */
export function sealPiece(piece: Buffer, { logId, index, offset }: PiecePlace): void {
  piece.writeUInt32LE(piece.length - PIECE_HEADER, 4)
  piece.writeBigUInt64LE(logId, 8)
  writeU64(piece, index, 16)
  writeU64(piece, offset, 24)
  piece.writeUInt32LE(crc32(piece.subarray(4)), 0)
}

/** The payload of a piece, or why it is none. */
export function openPiece(piece: Buffer, { logId, index, offset }: PiecePlace): Buffer | string {
  if (piece.length < PIECE_HEADER) return 'the file ends within a piece'
  if (piece.readUInt32LE(0) !== crc32(piece.subarray(4)))
    return 'the checksum of the piece is wrong'
  const isHere =
    piece.readBigUInt64LE(8) === logId &&
    readU64(piece, 16) === index &&
    readU64(piece, 24) === offset &&
    piece.readUInt32LE(4) === piece.length - PIECE_HEADER
  return isHere ? piece.subarray(PIECE_HEADER) : 'the piece was written for another place'
}

export function encodeTrailer({ size, checksum }: SnapshotTrailer): Buffer {
  const trailer = Buffer.alloc(TRAILER)
  TRAILER_MAGIC.copy(trailer)
  writeU64(trailer, size, 8)
  trailer.writeUInt32LE(checksum, 16)
  trailer.writeUInt32LE(crc32(trailer.subarray(0, 20)), 20)
  return trailer
}

/** What the last bytes of a file say, if they are a trailer. */
export function decodeTrailer(bytes: Buffer): SnapshotTrailer | undefined {
  if (bytes.length !== TRAILER || !bytes.subarray(0, 8).equals(TRAILER_MAGIC)) return undefined
  if (bytes.readUInt32LE(20) !== crc32(bytes.subarray(0, 20))) return undefined
  return { size: readU64(bytes, 8), checksum: bytes.readUInt32LE(16) }
}

/** Bytes that the pieces of a snapshot of this size take. */
export const piecesLength = (size: number): number =>
  size + Math.ceil(size / PIECE_PAYLOAD) * PIECE_HEADER

/** Bytes of the whole file. */
export const fileLength = ({ header, size }: { header: number; size: number }): number =>
  header + piecesLength(size) + TRAILER

export const corrupt = (path: string, offset: number, reason: string): CorruptLog =>
  new CorruptLog(path, offset, reason, REMEDY)
