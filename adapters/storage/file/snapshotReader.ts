import { constants } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { Mark } from '../../../lib/types.ts'
import { blocks, wholeBlocks } from './blocks.ts'
import type { FileSystem } from './filesystem.ts'
import {
  corrupt,
  decodeSnapshotHeader,
  decodeTrailer,
  HEADER_START,
  headerLength,
  openPiece,
  PIECE,
  PIECE_HEADER,
  PIECE_PAYLOAD,
  piecesLength,
  TRAILER,
} from './snapshotFile.ts'

/** A whole snapshot on the disk. */
export interface SnapshotSummary {
  readonly file: string
  readonly logId: bigint
  readonly mark: Mark
  /** Bytes of the snapshot. */
  readonly size: number
  /** Their CRC-32. */
  readonly checksum: number
  /** Bytes of the file before the first piece. */
  readonly header: number
}

/** A whole snapshot that is open for reading. */
export interface OpenSnapshot extends SnapshotSummary {
  readonly fd: number
}

/**
 * Reads what a snapshot says of itself, but no piece of it, and resolves with a descriptor. Rejects with
 * `CorruptLog` or `UnknownFormat`.
 */
export async function openSnapshot(files: FileSystem, file: string): Promise<OpenSnapshot> {
  const length = await files.size(file)
  const fd = await files.open(file, constants.O_RDONLY)
  try {
    const start = await files.read(fd, HEADER_START, 0)
    const header = headerLength(start, file)
    if (header > length) throw corrupt(file, 0, 'the file is too short for its header')
    const { logId, mark } = decodeSnapshotHeader(await files.read(fd, header, 0), file)
    const end = Math.max(header, length - TRAILER)
    const trailer = decodeTrailer(await files.read(fd, length - end, end))
    if (trailer === undefined) throw corrupt(file, end, 'its trailer is damaged or missing')
    const { size, checksum } = trailer
    if (header + piecesLength(size) !== end) {
      throw corrupt(file, end, `the file does not have the length of a snapshot of ${size} bytes`)
    }
    return { file, logId, mark, size, checksum, header, fd }
  } catch (error) {
    await files.close(fd)
    throw error
  }
}

/**
 * The snapshot from `offset` to the end of the piece in which that lies, read into `room`, which has that of a
 * piece; empty at its end. Rejects with `CorruptLog` when the piece is damaged.
 */
export async function readPiece(
  files: FileSystem,
  { file, fd, logId, mark, size, header }: OpenSnapshot,
  offset: number,
  room: Buffer,
): Promise<Uint8Array> {
  if (offset >= size) return new Uint8Array()
  const number = Math.floor(offset / PIECE_PAYLOAD)
  const start = number * PIECE_PAYLOAD
  const length = PIECE_HEADER + Math.min(PIECE_PAYLOAD, size - start)
  const position = header + number * PIECE
  const found = await files.fill(fd, room.subarray(0, wholeBlocks(length)), position)
  const bytes = room.subarray(0, Math.min(length, found))
  const payload = openPiece(bytes, { logId, index: mark.index, offset: start })
  if (typeof payload === 'string') throw corrupt(file, position, payload)
  if (bytes.length < length) throw corrupt(file, position, 'the file ends within a piece')
  return payload.subarray(offset - start)
}

/** Reads the whole and rejects with `CorruptLog` when anything of it is damaged. */
export async function verifySnapshot(files: FileSystem, snapshot: OpenSnapshot): Promise<void> {
  const { file, size, checksum } = snapshot
  const room = blocks(PIECE)
  let sum = 0
  for (let offset = 0; offset < size;) {
    const bytes = await readPiece(files, snapshot, offset, room)
    sum = crc32(bytes, sum)
    offset += bytes.length
  }
  if (sum !== checksum)
    throw corrupt(file, snapshot.header, 'its pieces are not those of one snapshot')
}
