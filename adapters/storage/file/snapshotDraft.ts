import { constants } from 'node:fs'
import { join } from 'node:path'
import type { Mark } from '../../../lib/types.ts'
import { syncDirectory, type FileSystem } from './filesystem.ts'
import type { Pace } from './pace.ts'
import {
  encodeSnapshotHeader,
  encodeTrailer,
  PIECE,
  PIECE_HEADER,
  sealPiece,
  snapshotName,
} from './snapshotFile.ts'
import type { OpenSnapshot } from './snapshotReader.ts'

/** The file of a snapshot that is not whole yet. Each piece is synced by itself: much at once would hold up the log. */
export class SnapshotDraft {
  private readonly piece = Buffer.alloc(PIECE)
  /** Bytes of the piece, its header's among them. */
  private filled = PIECE_HEADER
  private size = 0
  private position: number

  private constructor(
    private readonly files: FileSystem,
    private readonly directory: string,
    private readonly fd: number,
    private readonly logId: bigint,
    private readonly mark: Mark,
    private readonly header: number,
  ) {
    this.position = header
  }

  static async create(
    files: FileSystem,
    directory: string,
    logId: bigint,
    mark: Mark,
  ): Promise<SnapshotDraft> {
    const { O_RDWR, O_CREAT, O_TRUNC } = constants
    const fd = await files.open(draftOf(directory, mark), O_RDWR | O_CREAT | O_TRUNC)
    const header = encodeSnapshotHeader({ logId, mark })
    const draft = new SnapshotDraft(files, directory, fd, logId, mark, header.length)
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
    const { files, directory, fd, logId, mark, header } = this
    if (this.filled > PIECE_HEADER) await this.flush()
    const { size } = this
    await this.write(encodeTrailer({ size, checksum }), this.position)
    await files.sync(fd)
    const file = join(directory, snapshotName(mark.index))
    await files.rename(draftOf(directory, mark), file)
    await syncDirectory(files, directory)
    return { file, logId, mark, size, checksum, header, fd }
  }

  /** Gives it up. Opening the log would remove the file, too. */
  async discard(): Promise<void> {
    await this.files.close(this.fd)
    await this.files.remove(draftOf(this.directory, this.mark)).catch(() => undefined)
  }

  private async flush(): Promise<void> {
    const { logId, mark } = this
    const piece = this.piece.subarray(0, this.filled)
    sealPiece(piece, { logId, index: mark.index, offset: this.size })
    await this.write(piece, this.position)
    this.position += piece.length
    this.size += piece.length - PIECE_HEADER
    this.filled = PIECE_HEADER
    await this.sync()
  }

  private async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const written = await this.writeSome(bytes.subarray(at), position + at)
      if (written === 0) throw new Error(`nothing of ${bytes.length - at} bytes was written`)
      at += written
    }
  }

  private writeSome(bytes: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) =>
      this.files.write(this.fd, bytes, 0, bytes.length, position, (error, written) =>
        error === null ? resolve(written) : reject(error),
      ),
    )
  }

  private sync(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.files.datasync(this.fd, (error) => (error === null ? resolve() : reject(error))),
    )
  }
}

const draftOf = (directory: string, { index }: Mark): string =>
  `${join(directory, snapshotName(index))}.new`
