import { beforeBlock } from './blocks.ts'
import type { FileSystem } from './filesystem.ts'

type Done = (error: Error | null) => void

/** Writes `bytes` at `position` and calls back once they are durable. An error is final. */
export function append(
  files: FileSystem,
  fd: number,
  bytes: Uint8Array,
  position: number,
  done: Done,
): void {
  writeAll(files, fd, bytes, position, (error) => {
    if (error !== null || files.durableFlag !== 0) return done(error)
    files.datasync(fd, done)
  })
}

/** A short write goes on with the block in which it stopped; an error is final. */
export function writeAll(
  files: FileSystem,
  fd: number,
  bytes: Uint8Array,
  position: number,
  done: Done,
): void {
  const { length } = bytes
  let offset = 0
  const next = (): void =>
    files.write(fd, bytes, offset, length - offset, position + offset, (error, written) => {
      if (error !== null) return done(error)
      const end = reached(offset, written, length)
      if (end === offset) return done(nothingWritten(length - offset))
      offset = end
      if (offset < length) return next()
      done(null)
    })
  next()
}

/** Where to go on after a write: what is left must begin with a block. */
function reached(offset: number, written: number, length: number): number {
  const end = offset + written
  return end === length ? end : beforeBlock(end)
}

const nothingWritten = (length: number): Error =>
  new Error(`less than a block of ${length} bytes was written`)

/** The first one for the start of a file, as a promise. */
export function appendAll(files: FileSystem, fd: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) =>
    append(files, fd, bytes, 0, (error) => (error === null ? resolve() : reject(error))),
  )
}
