import { crc32 } from 'node:zlib'
import type { WriteChunk } from '../../../lib/storage.ts'
import type { Index, Mark, Term } from '../../../lib/types.ts'
import type { Storage } from '../../../operators/adapters.ts'
import { run, type Run } from './run.ts'
import { foundingMembers } from '../../../lib/members.ts'

export const mark = (index: Index, term: Term): Mark => ({
  index,
  term,
  members: foundingMembers(['a', 'b', 'c']),
})

/** Bytes in which every piece differs from every other, and from those of another seed. */
export function someBytes(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = i ^ (i >>> 8) ^ (i >>> 16) ^ seed
  return bytes
}

/** The chunks in which a snapshot is written: the sizes come again and again. */
export function chunksOf(
  mark: Mark,
  bytes: Uint8Array,
  sizes: readonly number[] = [100_000],
  checksum: number | undefined = crc32(bytes),
): WriteChunk[] {
  const chunks: WriteChunk[] = []
  let offset = 0
  do {
    const part = bytes.subarray(offset, offset + sizes[chunks.length % sizes.length]!)
    const isLast = offset + part.length === bytes.length
    chunks.push({
      ...{ type: 'writeChunk', mark, offset, bytes: part, isLast },
      checksum: isLast ? checksum : undefined,
    })
    offset += part.length
  } while (offset < bytes.length)
  return chunks
}

/** Writes a snapshot, each chunk when the one before is written; gives the answer to the last. */
export async function write(node: Run, chunks: readonly WriteChunk[]) {
  const before = node.pieces.length
  for (const [i, chunk] of chunks.entries()) {
    node.save$.next(chunk)
    await node.answered(before + i + 1)
  }
  return node.pieces.at(-1)!
}

/** Reads a snapshot from `offset` on, or as much of it as is there; `undefined` when it is gone. */
export async function read(node: Run, index: Index, offset = 0) {
  const parts: Uint8Array[] = []
  for (;;) {
    const count = node.pieces.length
    node.save$.next({ type: 'readChunk', index, offset, reader: 'r' })
    const piece = await node.answered(count + 1)
    if (piece.type !== 'chunkRead' || piece.reader !== 'r' || piece.offset !== offset) {
      throw new Error(`no answer to what was asked: ${JSON.stringify(piece)}`)
    }
    if (piece.bytes === undefined) return undefined
    parts.push(new Uint8Array(piece.bytes))
    offset += piece.bytes.length
    if (piece.isLast) return { bytes: Buffer.concat(parts), checksum: piece.checksum, parts }
  }
}

/** Subscribes, writes a snapshot and stops. */
export async function snapshotAt(
  storage: Storage,
  index: Index,
  term: Term,
  bytes: Uint8Array,
): Promise<void> {
  const node = run(storage)
  await node.restored()
  await write(node, chunksOf(mark(index, term), bytes))
  node.stop()
}

/** Subscribes, reads a snapshot and stops. */
export async function snapshotIn(storage: Storage, index: Index): Promise<Buffer | undefined> {
  const node = run(storage)
  try {
    await node.restored()
    return (await read(node, index))?.bytes
  } finally {
    node.stop()
  }
}
