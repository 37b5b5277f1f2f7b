import { constants } from 'node:fs'
import { join } from 'node:path'
import type { Mark } from '../../../lib/types.ts'
import { writeAll } from './append.ts'
import { blocks, wholeBlocks } from './blocks.ts'
import { called, syncDirectory, type FileSystem } from './filesystem.ts'
import type { Pace } from './pace.ts'
import {
  encodeSnapshotHeader,
  encodeTrailer,
  PIECE,
  PIECE_HEADER,
  sealPiece,
  snapshotName,
  TRAILER,
} from './snapshotFile.ts'
import type { OpenSnapshot } from './snapshotReader.ts'

/** Where a snapshot is written. */
export interface Place {
  readonly directory: string
  readonly logId: bigint
  /** The flag under which files go past the page cache there; 0 where they do not. */
  readonly direct: number
}

/**
 * The file of a snapshot that is not whole yet. Its pieces go past the page cache, one write in flight: then there is
 * nothing to flush that would hold up the log. Where there are no direct writes, each is synced by itself.
 */
export class SnapshotDraft {
  /** A piece, and the trailer behind it. */
  private readonly piece = blocks(PIECE + TRAILER)
  /** Bytes of the piece, its header's among them. */
  private filled = PIECE_HEADER
  private size = 0
  private position: number

  private constructor(
    private readonly files: FileSystem,
    private readonly place: Place,
    private readonly fd: number,
    private readonly mark: Mark,
    private readonly header: number,
  ) {
    this.position = header
  }

  static async create(files: FileSystem, place: Place, mark: Mark): Promise<SnapshotDraft> {
    const { directory, logId, direct } = place
    const { O_RDWR, O_CREAT, O_TRUNC } = constants
    const fd = await files.open(draftOf(directory, mark), O_RDWR | O_CREAT | O_TRUNC | direct)
    const header = encodeSnapshotHeader({ logId, mark })
    const draft = new SnapshotDraft(files, place, fd, mark, header.length)
    await draft.write(header, 0).catch(async (error: unknown) => {
      await draft.discard()
      throw error
    })
    return draft
  }

  /** Resolves when there was a rest after each piece that was written. */
  async add(bytes: Uint8Array, pace: Pace): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + PIECE - this.filled)
      this.piece.set(part, this.filled)
      this.filled += part.length
      at += part.length
      if (this.filled === PIECE) await pace.after(() => this.flush())
    }
  }

  /** Makes the whole durable and brings it into being, in place of one with the same index. */
  async finish(checksum: number): Promise<OpenSnapshot> {
    const { files, fd, mark, header } = this
    const { directory, logId } = this.place
    const length = this.filled > PIECE_HEADER ? this.seal() : 0
    const { size, position, piece } = this
    piece.fill(0, length)
    encodeTrailer({ size, checksum }).copy(piece, length)
    await this.write(piece.subarray(0, wholeBlocks(length + TRAILER)), position)
    await files.truncate(fd, position + length + TRAILER)
    await files.sync(fd)
    const file = join(directory, snapshotName(mark.index))
    await files.rename(draftOf(directory, mark), file)
    await syncDirectory(files, directory)
    return { file, logId, mark, size, checksum, header, fd }
  }

  /** Gives it up. Opening the log would remove the file, too. */
  async discard(): Promise<void> {
    await this.files.close(this.fd)
    await this.files.remove(draftOf(this.place.directory, this.mark)).catch(() => undefined)
  }

  private async flush(): Promise<void> {
    const length = this.seal()
    await this.write(this.piece.subarray(0, length), this.position)
    this.position += length
    this.filled = PIECE_HEADER
    if (this.place.direct === 0) await this.sync()
  }

  /** Completes the piece, which counts from now on. Its length, with its header's. */
  private seal(): number {
    const { place, mark, filled, size } = this
    const { logId } = place
    sealPiece(this.piece.subarray(0, filled), { logId, index: mark.index, offset: size })
    this.size += filled - PIECE_HEADER
    return filled
  }

  private write(bytes: Uint8Array, position: number): Promise<void> {
    return called((done) => writeAll(this.files, this.fd, bytes, position, done))
  }

  private sync(): Promise<void> {
    return called((done) => this.files.datasync(this.fd, done))
  }
}

const draftOf = (directory: string, { index }: Mark): string =>
  `${join(directory, snapshotName(index))}.new`
