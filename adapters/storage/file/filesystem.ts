import * as fs from 'node:fs'
import { beforeBlock, blocks, wholeBlocks } from './blocks.ts'

type Done = (error: Error | null) => void

/**
 * What the file storage asks of the operating system. Each promise rejects with the system's error. The
 * two calls of the hot path take a callback, because a promise costs more than a small write.
 */
export interface FileSystem {
  /**
   * The open flag with which a write is durable when it returns; 0 where that takes a `datasync`
   * afterwards.
   */
  readonly durableFlag: number
  /** The open flag with which writes go past the page cache; 0 where there is none. */
  readonly directFlag: number
  /** May write less than `length`. */
  write(
    fd: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null, written: number) => void,
  ): void
  datasync(fd: number, done: Done): void

  /** Creates `path` and its missing parents; resolves with the first one that was missing. */
  makeDirectory(path: string): Promise<string | undefined>
  list(directory: string): Promise<string[]>
  readFile(path: string): Promise<Buffer>
  /** So many bytes of a file from `position` on, or fewer where it ends, in a buffer of their own. */
  read(fd: number, length: number, position: number): Promise<Buffer>
  /** Fills `bytes` with what stands in a file from `position` on; resolves with how many there were. */
  fill(fd: number, bytes: Uint8Array, position: number): Promise<number>
  size(path: string): Promise<number>
  open(path: string, flags: number): Promise<number>
  /**
   * Creates a durable file of at least `size` zeros, in place of one that is there, with writes under the
   * flag.
   */
  zeros(path: string, size: number, directFlag: number): Promise<void>
  sync(fd: number): Promise<void>
  truncate(fd: number, length: number): Promise<void>
  close(fd: number): Promise<void>
  rename(from: string, to: string): Promise<void>
  copy(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
}

/** One read call of the system takes 2 GiB at most. */
const READ_BYTES = 1 << 28

/** The real one. */
export const nodeFileSystem: FileSystem = {
  // Elsewhere the flag is missing (Windows) or leaves the data in the drive's cache (macOS), which
  // datasync does not.
  durableFlag: process.platform === 'linux' ? fs.constants.O_DSYNC : 0,
  // The log is written once and read at the next start: in the page cache it would only cost copies
  // and memory.
  directFlag: process.platform === 'linux' ? fs.constants.O_DIRECT : 0,
  write: fs.write,
  datasync: fs.fdatasync,
  makeDirectory: (path) => fs.promises.mkdir(path, { recursive: true }),
  list: (directory) => fs.promises.readdir(directory),
  readFile,
  read,
  fill,
  size: async (path) => (await fs.promises.stat(path)).size,
  open: (path, flags) =>
    new Promise((resolve, reject) =>
      fs.open(path, flags, (error, fd) => (error === null ? resolve(fd) : reject(error))),
    ),
  zeros,
  sync: (fd) => called((done) => fs.fsync(fd, done)),
  truncate: (fd, length) => called((done) => fs.ftruncate(fd, length, done)),
  close: (fd) => called((done) => fs.close(fd, done)),
  rename: (from, to) => fs.promises.rename(from, to),
  copy: (from, to) => fs.promises.copyFile(from, to),
  remove: (path) => fs.promises.unlink(path),
}

/** Zeros go to the disk in pieces: one large flush would hold up every append meanwhile. */
const PIECE = 1 << 20
let piece: Buffer | undefined

async function zeros(path: string, size: number, directFlag: number): Promise<void> {
  const { O_WRONLY, O_CREAT, O_TRUNC } = fs.constants
  const handle = await fs.promises.open(path, O_WRONLY | O_CREAT | O_TRUNC | directFlag)
  piece ??= blocks(PIECE)
  try {
    for (let at = 0; at < size;) {
      const length = Math.min(PIECE, wholeBlocks(size - at))
      at += beforeBlock((await handle.write(piece, 0, length, at)).bytesWritten)
      await handle.datasync()
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The same files without any wait for the disk: what was written may be gone after a power loss. */
export const withoutSync = (files: FileSystem): FileSystem => ({
  ...files,
  durableFlag: 0,
  directFlag: 0,
  datasync: (_fd, done) => done(null),
  sync: () => Promise.resolve(),
})

/** Whether the disk has no room: it may have some for something smaller, and will have some again. */
export function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Makes a file or a directory durable by its path. */
export async function syncPath(files: FileSystem, path: string): Promise<void> {
  const fd = await files.open(path, fs.constants.O_RDONLY)
  try {
    await files.sync(fd)
  } finally {
    await files.close(fd)
  }
}

/** Makes creations and renames in a directory durable. Windows does so by itself and refuses the call. */
export async function syncDirectory(files: FileSystem, directory: string): Promise<void> {
  if (process.platform !== 'win32') await syncPath(files, directory)
}

/** A call with a callback, as a promise. */
export function called(call: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) =>
    call((error) => (error === null ? resolve() : reject(error))),
  )
}

/** The whole file in one buffer of its own, which views may keep alive. */
async function readFile(path: string): Promise<Buffer> {
  const handle = await fs.promises.open(path, 'r')
  try {
    const { size } = await handle.stat()
    const bytes = Buffer.allocUnsafeSlow(size)
    let offset = 0
    while (offset < size) {
      const length = Math.min(READ_BYTES, size - offset)
      const { bytesRead } = await handle.read(bytes, offset, length, offset)
      if (bytesRead === 0) break
      offset += bytesRead
    }
    return bytes.subarray(0, offset)
  } finally {
    await handle.close()
  }
}

async function read(fd: number, length: number, position: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length)
  return bytes.subarray(0, await fill(fd, bytes, position))
}

/** A short read goes on with the block in which it stopped, as direct reads must, until nothing is added. */
function fill(fd: number, bytes: Uint8Array, position: number): Promise<number> {
  const { length } = bytes
  return new Promise((resolve, reject) => {
    const next = (filled: number): void => {
      const from = beforeBlock(filled)
      fs.read(fd, bytes, from, length - from, position + from, (error, count) => {
        if (error !== null) reject(error)
        else if (from + count === length || from + count <= filled) resolve(from + count)
        else next(from + count)
      })
    }
    next(0)
  })
}
