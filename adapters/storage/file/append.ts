import type { FileSystem } from './filesystem.ts'

/**
 * Writes `length` bytes at `position` and calls back once they are durable. A short write goes on where
 * it stopped; an error is final.
 */
export function append(
  files: FileSystem,
  fd: number,
  bytes: Uint8Array,
  length: number,
  position: number,
  done: (error: Error | null) => void,
): void {
  let offset = 0
  const next = (): void =>
    files.write(fd, bytes, offset, length - offset, position + offset, (error, written) => {
      if (error !== null) return done(error)
      if (written === 0) return done(nothingWritten(length - offset))
      offset += written
      if (offset < length) return next()
      if (files.durableFlag !== 0) return done(null)
      files.datasync(fd, done)
    })
  next()
}

/** The same at once, holding up everything else. Throws the system's error. */
export function appendSync(
  files: FileSystem,
  fd: number,
  bytes: Uint8Array,
  length: number,
  position: number,
): void {
  for (let offset = 0; offset < length;) {
    const written = files.writeSync(fd, bytes, offset, length - offset, position + offset)
    if (written === 0) throw nothingWritten(length - offset)
    offset += written
  }
  if (files.durableFlag === 0) files.datasyncSync(fd)
}

const nothingWritten = (length: number): Error => new Error(`0 of ${length} bytes were written`)

/** The first one for the start of a file, as a promise. */
export function appendAll(files: FileSystem, fd: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) =>
    append(files, fd, bytes, bytes.length, 0, (error) =>
      error === null ? resolve() : reject(error),
    ),
  )
}
