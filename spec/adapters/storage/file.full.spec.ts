import { fstatSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeFileSystem, type FileSystem } from '../../../adapters/storage/file/filesystem.ts'
import { fileStorage } from '../../../adapters/storage/file/storage.ts'
import { temporaryDirectories } from './directories.ts'
import type { Save } from '../../../lib/storage.ts'
import { batch, entriesOf, logAfter, reopen, run, save, type Run } from './run.ts'

const directory = temporaryDirectories()
const SEGMENT = 16 << 10

const appends = (count: number, size: number) =>
  Array.from({ length: count }, (_, i) => save(i + 1, 1, 'a', batch(i + 1, 1, ['x'.repeat(size)])))

/** A disk on which nothing can be laid out while it is full, and no file becomes longer. */
function filling() {
  const disk = { isFull: false }
  const full = (): Error => Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  const zeros: FileSystem['zeros'] = (path, size, flag) =>
    disk.isFull ? Promise.reject(full()) : nodeFileSystem.zeros(path, size, flag)
  const write: FileSystem['write'] = (fd, bytes, offset, length, position, done) => {
    if (disk.isFull && position + length > fstatSync(fd).size) return done(full(), 0)
    nodeFileSystem.write(fd, bytes, offset, length, position, done)
  }
  return { disk, files: { ...nodeFileSystem, zeros, write } }
}

async function oneByOne(node: Run, saves: readonly Save[]): Promise<void> {
  for (const it of saves) {
    node.save$.next(it)
    await node.acknowledged(it.sequence)
  }
}

const spaceIn = (node: Run): boolean[] =>
  node.said.flatMap((it) => (it.type === 'space' ? [it.isShort] : []))

const codesOf = (node: Run): string[] => node.notices.map(({ code }) => code)

const brokenIn = (path: string): string[] =>
  readdirSync(path).filter((name) => name.endsWith('.broken'))

/** Cuts the last record short, as a crash in the middle of a write does. */
async function tear(path: string): Promise<void> {
  const file = join(path, '00000001.log')
  await expect.poll(() => readdirSync(path).includes('lock')).toBe(false)
  const bytes = readFileSync(file)
  truncateSync(file, bytes.findLastIndex((byte) => byte !== 0) - 2)
}

describe('a disk that is full', () => {
  it('is told before the log has no room, and everything is written once there is room again [bug 59][F20]', async () => {
    const { disk, files } = filling()
    const path = directory()
    const node = run(fileStorage(files, path, SEGMENT))
    await node.restored()
    const saves = appends(12, 3_000)
    // The first segment and the one behind it are laid out; the one after that cannot be.
    for (const it of saves.slice(0, 2)) node.save$.next(it)
    await node.acknowledged(2)
    disk.isFull = true
    const written = oneByOne(node, saves.slice(2))
    await expect.poll(() => spaceIn(node), { timeout: 5_000 }).toEqual([true])
    expect(node.saved.length).toBeLessThan(12)
    disk.isFull = false
    await written
    expect(spaceIn(node)).toEqual([true, false])
    expect(codesOf(node)).toEqual(['no-space', 'space-again'])
    node.stop()
    expect(entriesOf((await reopen(fileStorage(nodeFileSystem, path, SEGMENT))).batches)).toEqual(
      logAfter(saves),
    )
  })

  it('has room for a record that is longer than a segment, or is waited for [bug 59][F20]', async () => {
    const { disk, files } = filling()
    const path = directory()
    const node = run(fileStorage(files, path, SEGMENT))
    await node.restored()
    const [first, long] = [...appends(1, 3_000), ...appends(2, 3 * SEGMENT).slice(1)]
    await oneByOne(node, [first!])
    disk.isFull = true
    node.save$.next(long!)
    await expect.poll(() => spaceIn(node), { timeout: 5_000 }).toEqual([true])
    expect(node.saved).toHaveLength(1)
    disk.isFull = false
    await node.acknowledged(2)
    expect(spaceIn(node)).toEqual([true, false])
    node.stop()
    const { batches } = await reopen(fileStorage(nodeFileSystem, path, SEGMENT))
    expect(entriesOf(batches)).toEqual(logAfter([first!, long!]))
  })

  it('can be let go at once', async () => {
    const { disk, files } = filling()
    const path = directory()
    const node = run(fileStorage(files, path, SEGMENT))
    await node.restored()
    disk.isFull = true
    for (const it of appends(12, 3_000)) node.save$.next(it)
    await expect.poll(() => spaceIn(node), { timeout: 5_000 }).toEqual([true])
    node.stop()
    const again = await reopen(fileStorage(nodeFileSystem, path, SEGMENT))
    expect(again.batches.length).toBeGreaterThan(0)
  })

  it('is waited for at the start, and the log then is what it was [bug 59][F20]', async () => {
    const { disk, files } = filling()
    const path = directory()
    const before = run(fileStorage(files, path, SEGMENT))
    await before.restored()
    const saves = appends(3, 100)
    await oneByOne(before, saves)
    before.stop()

    disk.isFull = true
    const node = run(fileStorage(files, path, SEGMENT))
    await expect.poll(() => codesOf(node), { timeout: 5_000 }).toEqual(['no-space'])
    disk.isFull = false
    expect(entriesOf((await node.restored()).batches)).toEqual(logAfter(saves))
    expect(codesOf(node)).toEqual(['no-space', 'space-again'])
    node.stop()
  })

  it('keeps one copy of a torn file, however often the start is tried [F14][F20]', async () => {
    const { disk, files } = filling()
    const path = directory()
    const before = run(fileStorage(files, path, SEGMENT))
    await before.restored()
    await oneByOne(before, appends(3, 3_000))
    before.stop()
    await tear(path)

    disk.isFull = true
    const node = run(fileStorage(files, path, SEGMENT))
    await expect.poll(() => codesOf(node), { timeout: 5_000 }).toEqual(['no-space'])
    expect(brokenIn(path)).toEqual([])
    disk.isFull = false
    await node.restored()
    expect(brokenIn(path)).toHaveLength(1)
    node.stop()
  })

  it('can be given up at the start', async () => {
    const { disk, files } = filling()
    const path = directory()
    disk.isFull = true
    const node = run(fileStorage(files, path, SEGMENT))
    await expect.poll(() => codesOf(node), { timeout: 5_000 }).toEqual(['no-space'])
    node.stop()
    await reopen(fileStorage(nodeFileSystem, path, SEGMENT))
  })
})
