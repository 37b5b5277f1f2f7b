import { chmodSync, mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { file } from '../../../adapters/storage/file.ts'
import { nodeFileSystem, type FileSystem } from '../../../adapters/storage/file/filesystem.ts'
import { fileStorage } from '../../../adapters/storage/file/storage.ts'
import { StorageError } from '../../../lib/errors.ts'
import type { Save } from '../../../lib/storage.ts'
import { fingerprintOf, temporaryDirectories } from './directories.ts'
import { faulty, systemError, type Change, type Fate } from './faulty.ts'
import { batch, entriesOf, logAfter, reopen, run, save, saveAll, type Run } from './run.ts'

const directory = temporaryDirectories()
const SEGMENT = 16 << 10

const appends = (count: number, size = 10): Save[] =>
  Array.from({ length: count }, (_, i) =>
    save(i + 1, 1, 'a', batch(i + 1, 1, [`${i % 10}`.repeat(size)])),
  )

/** Calls of one kind fail once `armed`; counts what is written after the failure. */
function failing(change: Change, fate: Fate, options: Parameters<typeof faulty>[1] = {}) {
  const state = { armed: false, failed: false, writesAfter: 0 }
  const files = faulty((it) => {
    if (state.failed && it === 'write') state.writesAfter++
    if (!state.armed || state.failed || it !== change) return 'works'
    state.failed = true
    return fate
  }, options)
  return { state, files }
}

/** Acknowledges three saves; the disk fails under the fourth, with six more waiting. */
async function failUnderTheFourth(
  path: string,
  { state, files }: ReturnType<typeof failing>,
): Promise<{ node: Run; error: unknown }> {
  const node = run(fileStorage(files, path, 1 << 20))
  for (const it of appends(3)) {
    node.save$.next(it)
    await node.acknowledged(it.sequence)
  }
  state.armed = true
  for (const it of appends(10).slice(3)) node.save$.next(it)
  return { node, error: await node.ended() }
}

describe('a disk that fails stops the storage at once', () => {
  const dsync = nodeFileSystem.durableFlag
  it.runIf(dsync !== 0).each<[string, Change, Fate, string]>([
    ['write', 'write', 'fails', 'EIO'],
    ['durable write, of which everything reached the page cache', 'write', 'fails after', 'EIO'],
    ['write, for which there was no space', 'write', { writes: [[0, 50]] }, 'ENOSPC'],
  ])('a %s [F12]', (_what, change, fate, code) => stopsAtOnce(change, fate, code, dsync))

  it.each<[string, Change, Fate, string]>([
    ['write', 'write', 'fails', 'EIO'],
    ['datasync', 'datasync', 'fails', 'EIO'],
    ['datasync, which did its work all the same', 'datasync', 'fails after', 'EIO'],
    ['datasync, for which there was no space', 'datasync', 'fails', 'ENOSPC'],
  ])('a %s, where there is no durable write [F12]', (_what, change, fate, code) =>
    stopsAtOnce(change, fate, code, 0),
  )

  async function stopsAtOnce(change: Change, fate: Fate, code: string, durableFlag: number) {
    const path = directory()
    const disk = failing(change, fate, { code, durableFlag })
    const { node, error } = await failUnderTheFourth(path, disk)
    expect(error).toBeInstanceOf(StorageError)
    expect(error).toMatchObject({ code: 'storage', cause: { code }, outcome: 'unknown' })
    expect(node.saved).toHaveLength(3)
    const found = entriesOf((await reopen(file(path))).batches)
    expect(found).toEqual(logAfter(appends(10)).slice(0, found.length))
    expect(found.length).toBeGreaterThanOrEqual(3)
    expect(disk.state.writesAfter).toBe(0)
  }

  it('and takes nothing more, also from somebody who hears of it', async () => {
    const path = directory()
    const { state, files } = failing('write', 'fails')
    const save$ = new Subject<Save>()
    const error = await new Promise<unknown>((resolve) =>
      fileStorage(
        files,
        path,
        1 << 20,
      )(save$).subscribe({
        next: (event) => {
          state.armed = event.type === 'restored'
          save$.next(appends(1)[0]!)
        },
        error: (error: unknown) => {
          save$.next(appends(2)[1]!)
          resolve(error)
        },
      }),
    )
    expect(error).toBeInstanceOf(StorageError)
    expect((await reopen(file(path))).batches).toEqual([])
    expect(state.writesAfter).toBe(0)
  })

  it('and so does a save that contradicts the log, before it has been opened', async () => {
    const path = directory()
    const gap = save(2, 1, 'a', batch(7, 1, ['far away']))
    const node = run(file(path), [...appends(1), gap, save(3, 9, 'z')])
    expect(await node.ended()).toMatchObject({ code: 'invariant' })
    const { term, batches } = await reopen(file(path))
    expect([term, entriesOf(batches)]).toEqual([1, logAfter(appends(1))])
  })

  it('and does not trust the page cache afterwards: what was read is written anew [F12]', async () => {
    const path = directory()
    await failUnderTheFourth(path, failing('write', 'fails after', {}))
    const inode = statSync(join(path, '00000001.log')).ino
    const order: string[] = []
    const files = faulty((change) => {
      order.push(change)
      return 'works'
    })
    const node = run(fileStorage(files, path, 1 << 20))
    expect(entriesOf((await node.restored()).batches)).toEqual(logAfter(appends(4)))
    expect(statSync(join(path, '00000001.log')).ino).not.toBe(inode)
    const needed = ['write', 'sync', 'rename', 'sync']
    expect(order.filter((change) => needed.includes(change))).toEqual(needed)
    node.stop()
  })

  it.each<[Change, Fate]>([
    ['open', 'fails'],
    ['write', 'fails'],
    ['sync', 'fails'],
    ['rename', 'fails'],
  ])('also when a new segment cannot be made: %s [F20]', async (change, fate) => {
    const path = directory()
    const { state, files } = failing(change, fate, { code: 'ENOSPC' })
    const node = run(fileStorage(files, path, SEGMENT))
    const saves = appends(8, 3000)
    for (const it of saves) {
      state.armed = it.sequence >= 4
      node.save$.next(it)
      if (it.sequence < 4) await node.acknowledged(it.sequence)
    }
    expect(await node.ended()).toMatchObject({ code: 'storage', cause: { code: 'ENOSPC' } })
    expect(node.saved).toHaveLength(3)
    expect(entriesOf((await reopen(file(path))).batches)).toEqual(logAfter(saves.slice(0, 3)))
  })
})

describe('short writes [F13]', () => {
  const writing =
    (most: number): FileSystem['write'] =>
    (fd, bytes, offset, length, position, done) =>
      nodeFileSystem.write(fd, bytes, offset, Math.min(length, most), position, done)

  it.each([
    ['in the middle of a block', 9973, 0],
    ['at the end of one, with direct writes', 8192, nodeFileSystem.directFlag],
  ])('go on where they stopped: %s', async (_where, most, directFlag) => {
    const path = directory()
    const saves = appends(5, 40_000)
    const files = { ...nodeFileSystem, write: writing(most), directFlag }
    await saveAll(fileStorage(files, path, 1 << 20), saves)
    expect(entriesOf((await reopen(file(path))).batches)).toEqual(logAfter(saves))
  })

  it.each([1, 4095])('of %d bytes, less than a block, are an error', async (most) => {
    const files = { ...nodeFileSystem, write: writing(most), directFlag: 0 }
    expect(
      await run(fileStorage(files, directory(), 1 << 20), appends(1, 40_000)).ended(),
    ).toBeInstanceOf(StorageError)
  })

  it('of nothing at all are an error', async () => {
    const write: FileSystem['write'] = (_fd, _bytes, _offset, _length, _position, done) =>
      done(null, 0)
    const node = run(fileStorage({ ...nodeFileSystem, write }, directory(), 1 << 20))
    expect(await node.ended()).toBeInstanceOf(StorageError)
  })
})

describe('a directory that cannot be used is refused [F22]', () => {
  it('below a file', async () => {
    const path = directory()
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, 'a file')
    const error = await run(file(join(path, 'log'))).ended()
    expect(error).toBeInstanceOf(StorageError)
    expect(error).toMatchObject({ cause: { code: 'ENOTDIR' } })
  })

  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('read-only', async () => {
    const path = directory()
    await saveAll(file(path), appends(2))
    chmodSync(path, 0o555)
    expect(await run(file(path)).ended()).toMatchObject({
      code: 'storage',
      cause: { code: 'EACCES' },
    })
    chmodSync(path, 0o755)
  })

  it('on a read-only file system, with everything left as it was', async () => {
    const path = directory()
    await saveAll(file(path), appends(2))
    const before = fingerprintOf(path)
    const files = faulty((change) => (change === 'open' ? 'fails' : 'works'), { code: 'EROFS' })
    const error = await run(fileStorage(files, path, 1 << 20)).ended()
    expect(error).toMatchObject({ code: 'storage', cause: { code: 'EROFS' } })
    expect((error as Error).message).toContain(path)
    expect(fingerprintOf(path)).toEqual(before)
  })

  it('when a file cannot be read, which is no corruption', async () => {
    const path = directory()
    await saveAll(file(path), appends(2))
    const readFile = () => Promise.reject(systemError('EIO'))
    const error = await run(fileStorage({ ...nodeFileSystem, readFile }, path, 1 << 20)).ended()
    expect(error).toMatchObject({ code: 'storage', cause: { code: 'EIO' } })
  })

  it('when the copy of a torn file cannot be kept, with everything left as it was', async () => {
    const path = directory()
    await saveAll(file(path), appends(2))
    truncateSync(join(path, '00000001.log'), 4096 + 60)
    const before = fingerprintOf(path)
    const files = faulty((change) => (change === 'copy' ? 'fails' : 'works'), { code: 'EIO' })
    expect(await run(fileStorage(files, path, 1 << 20)).ended()).toBeInstanceOf(StorageError)
    expect(fingerprintOf(path)).toEqual(before)
  })
})
