import { InvariantError } from '../../lib/errors.ts'
import type { ChunkRead, ReadChunk, WriteChunk } from '../../lib/storage.ts'
import type { Mark, Position } from '../../lib/types.ts'

/** A snapshot that is being written, as far as it has come. */
export interface Draft {
  readonly mark: Mark
  /** Bytes so far. */
  readonly end: number
  /** Their CRC-32. */
  readonly checksum: number
}

/**
 * The draft with this chunk at its end. Throws `InvariantError` when the chunk does not go on where the
 * draft ends, or begins a snapshot that is older than the `newest` one.
 */
export function extend(
  draft: Draft | undefined,
  chunk: WriteChunk,
  newest: Position | undefined,
  crc32: (bytes: Uint8Array, before: number) => number,
): Draft {
  const { mark, offset, bytes } = chunk
  if (offset === 0) refuseStale(mark, newest)
  else if (draft === undefined || !isSame(draft.mark, mark) || offset !== draft.end) {
    const due = draft === undefined ? 'none is begun' : `${show(draft.mark)} ends at ${draft.end}`
    throw new InvariantError(`a chunk at ${offset} of snapshot ${show(mark)} came where ${due}`)
  }
  const before = offset === 0 ? 0 : draft!.checksum
  return { mark, end: offset + bytes.length, checksum: crc32(bytes, before) }
}

/** The snapshot at `index` may be replaced by one of the same entry, never by an older one (§7). */
function refuseStale(mark: Mark, newest: Position | undefined): void {
  if (newest === undefined || covers(mark, newest)) return
  throw new InvariantError(`snapshot ${show(mark)} would replace snapshot ${show(newest)}`)
}

/** Whether what stands for everything through `snapshot` stands for `position` too. */
export const covers = (snapshot: Position, position: Position): boolean =>
  snapshot.index > position.index || isSame(snapshot, position)

/** The log says the same of the cluster on every server, so that an entry is all there is to compare. */
const isSame = (a: Position, b: Position): boolean => a.index === b.index && a.term === b.term

/** Whether a snapshot is as whoever wrote it knows it to be. */
export const isWhole = (draft: Draft, { checksum }: WriteChunk): boolean =>
  checksum === undefined || checksum === draft.checksum

/** The answer to a reader whose snapshot is there no more. */
export const gone = ({ reader, index, offset }: ReadChunk): ChunkRead => ({
  type: 'chunkRead',
  reader,
  index,
  offset,
  bytes: undefined,
  isLast: false,
  checksum: undefined,
})

const show = ({ index, term }: Position): string => `${index}@${term}`
