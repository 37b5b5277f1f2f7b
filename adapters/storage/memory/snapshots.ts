import type {
  ChunkRead,
  ChunkRefused,
  ChunkWritten,
  ReadChunk,
  WriteChunk,
} from '../../../lib/storage.ts'
import type { Mark } from '../../../lib/types.ts'
import { crc32 } from '../../crc32.ts'
import { extend, gone, isWhole, type Draft } from '../chunks.ts'

/** A whole snapshot. */
export interface MemorySnapshot {
  readonly mark: Mark
  readonly bytes: Uint8Array
  /** CRC-32 of the bytes. */
  readonly checksum: number
}

/** Where whole snapshots are kept: one at a time. */
export interface SnapshotShelf {
  snapshot: MemorySnapshot | undefined
}

const PIECE = 256 * 1024

/** Puts snapshots together and takes pieces of them. What is unfinished is forgotten with the function. */
export function writeTo(shelf: SnapshotShelf): (chunk: WriteChunk) => ChunkWritten | ChunkRefused {
  let draft: Draft | undefined
  let pieces: Uint8Array[] = []
  return (chunk) => {
    const { index } = chunk.mark
    draft = extend(draft, chunk, shelf.snapshot?.mark, crc32)
    if (chunk.offset === 0) pieces = []
    pieces.push(chunk.bytes.slice())
    const { mark, end, checksum } = draft
    if (!chunk.isLast) return { type: 'chunkWritten', index, end, isLast: false }
    const isRight = isWhole(draft, chunk)
    if (isRight) shelf.snapshot = { mark, bytes: joined(pieces, end), checksum }
    draft = undefined
    pieces = []
    return isRight
      ? { type: 'chunkWritten', index, end, isLast: true }
      : { type: 'chunkRefused', index }
  }
}

/** A piece of the snapshot, if it is the one that is meant. */
export function readFrom({ snapshot }: SnapshotShelf, request: ReadChunk): ChunkRead {
  const { index, offset, reader } = request
  if (snapshot?.mark.index !== index || offset > snapshot.bytes.length) return gone(request)
  const bytes = snapshot.bytes.subarray(offset, offset + PIECE)
  const isLast = offset + bytes.length === snapshot.bytes.length
  const checksum = isLast ? snapshot.checksum : undefined
  return { type: 'chunkRead', reader, index, offset, bytes, isLast, checksum }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
