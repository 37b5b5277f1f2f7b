import { nodeFileSystem, type FileSystem } from '../../../adapters/storage/file/filesystem.ts'

/** The calls that change something, which are those worth failing. */
export type Change =
  'makeDirectory' | 'open' | 'write' | 'datasync' | 'sync' | 'rename' | 'copy' | 'remove'

/**
 * What becomes of a call: it works, it fails and does nothing, or it fails after it did its work. A write
 * can also do a part of it: the byte ranges, from the start of what is to be written, that reach the file.
 */
export type Fate = 'works' | 'fails' | 'fails after' | { readonly writes: readonly Range[] }
export type Range = readonly [start: number, end: number]

export const systemError = (code: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: injected`), { code })

/** The real files, with calls that fail as `fateOf` says: it is asked about each call in turn. */
export function faulty(
  fateOf: (change: Change, nth: number, length: number) => Fate,
  { code = 'EIO', durableFlag = nodeFileSystem.durableFlag } = {},
): FileSystem {
  const real = nodeFileSystem
  let nth = 0
  const promised =
    <A extends unknown[], R>(change: Change, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const fate = fateOf(change, ++nth, 0)
      if (fate === 'fails') throw systemError(code)
      const result = await call(...args)
      if (fate === 'works') return result
      if (change === 'open') await real.close(result as number)
      throw systemError(code)
    }
  return {
    ...real,
    durableFlag,
    makeDirectory: promised('makeDirectory', real.makeDirectory),
    open: promised('open', real.open),
    sync: promised('sync', real.sync),
    rename: promised('rename', real.rename),
    copy: promised('copy', real.copy),
    remove: promised('remove', real.remove),
    datasync: (fd, done) => {
      const fate = fateOf('datasync', ++nth, 0)
      if (fate === 'fails') done(systemError(code))
      else real.datasync(fd, (error) => done(fate === 'works' ? error : systemError(code)))
    },
    write: (fd, bytes, offset, length, position, done) => {
      const fate = fateOf('write', ++nth, length)
      if (fate === 'works') return real.write(fd, bytes, offset, length, position, done)
      const all: Range[] = [[0, length]]
      const ranges = fate === 'fails' ? [] : fate === 'fails after' ? all : fate.writes
      const next = (i: number): void => {
        const range = ranges[i]
        if (range === undefined) return done(systemError(code), 0)
        const [start, end] = range
        real.write(fd, bytes, offset + start, end - start, position + start, () => next(i + 1))
      }
      next(0)
    },
  }
}
