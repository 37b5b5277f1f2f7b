import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { of, Subject } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'
import { file } from '../../../adapters/storage/file.ts'
import { nodeFileSystem, type FileSystem } from '../../../adapters/storage/file/filesystem.ts'
import { decodeBody, readRecord } from '../../../adapters/storage/file/record.ts'
import { recover } from '../../../adapters/storage/file/recovery.ts'
import { SEGMENT_HEADER } from '../../../adapters/storage/file/segment.ts'
import { fileStorage } from '../../../adapters/storage/file/storage.ts'
import { ConfigError } from '../../../lib/errors.ts'
import type { Save } from '../../../lib/storage.ts'
import { storageLaws } from '../../laws/storage.ts'
import { contentOf, temporaryDirectories } from './directories.ts'
import { batch, entriesOf, logAfter, reopen, run, save, saveAll } from './run.ts'

const directory = temporaryDirectories()

// Laying out segments of the default size would be most of what the laws take.
const segmentSize = 1 << 20

storageLaws('file', () => file(directory(), { segmentSize }))
storageLaws('file without fsync', () => file(directory(), { unsafeNoFsync: true, segmentSize }))
storageLaws('file with a datasync after each write', () =>
  fileStorage({ ...nodeFileSystem, durableFlag: 0 }, directory(), segmentSize),
)
storageLaws('file through the page cache', () =>
  fileStorage({ ...nodeFileSystem, directFlag: 0 }, directory(), segmentSize),
)
storageLaws('file on a system that refuses direct writes', () =>
  fileStorage({ ...nodeFileSystem, zeros: refusingDirect }, directory(), segmentSize),
)
storageLaws('file in small segments', () => file(directory(), { segmentSize: 16 << 10 }))

/** What some file systems say of direct writes. */
const refusingDirect: FileSystem['zeros'] = (path, size, directFlag) =>
  directFlag === 0
    ? nodeFileSystem.zeros(path, size, 0)
    : Promise.reject(Object.assign(new Error('refused'), { code: 'EINVAL' }))

const long = (count: number, size: number): Save[] =>
  Array.from({ length: count }, (_, i) =>
    save(i + 1, 1, 'a', batch(i + 1, 1, [String.fromCharCode(97 + (i % 26)).repeat(size)])),
  )

describe('options', () => {
  it.each([
    ['directory', () => file('')],
    ['segmentSize', () => file('x', { segmentSize: 1000 })],
    ['segmentSize', () => file('x', { segmentSize: 2 ** 31 })],
    ['segmentSize', () => file('x', { segmentSize: 20_000.5 })],
    ['unsafeNoFsync', () => file('x', { unsafeNoFsync: 'yes' as never })],
  ])('names %s when it cannot be', (option, make) => {
    expect(make).toThrow(ConfigError)
    expect(make).toThrow(expect.objectContaining({ option }))
  })

  it('touches no disk until it is subscribed', () => {
    const path = directory()
    void file(path)(of())
    expect(existsSync(path)).toBe(false)
  })

  it('takes a path from the working directory', async () => {
    const path = directory()
    await saveAll(file(relative('.', path)), long(1, 10))
    expect(entriesOf((await reopen(file(path))).batches)).toEqual(logAfter(long(1, 10)))
  })
})

describe('segments', () => {
  it('goes on in another file when one is full', async () => {
    const path = directory()
    const storage = file(path, { segmentSize: 16 << 10 })
    const node = run(storage)
    for (const it of long(40, 2000)) {
      node.save$.next(it)
      await node.acknowledged(it.sequence)
    }
    node.stop()
    const { batches } = await reopen(storage)
    expect(entriesOf(batches)).toEqual(logAfter(long(40, 2000)))
    const { segments } = await recover(nodeFileSystem, path)
    expect(segments.length).toBeGreaterThan(5)
    expect(segments.every(({ size }) => size <= 16 << 10)).toBe(true)
    expect(segments.at(-1)).toMatchObject({ number: segments.length, highest: 40 })
  })

  it('holds a batch that is longer than a segment', async () => {
    const path = directory()
    const storage = file(path, { segmentSize: 16 << 10 })
    const saves = [...long(2, 10), save(3, 1, 'a', batch(3, 1, ['z'.repeat(5 << 20)]))]
    await saveAll(storage, [...saves, save(4, 1, 'a', batch(4, 1, ['after']))])
    const { batches } = await reopen(storage)
    expect(entriesOf(batches)).toEqual([...logAfter(saves), '4@1 command after'])
  })

  it('says the ballot again in each segment', async () => {
    const path = directory()
    await saveAll(file(path, { segmentSize: 16 << 10 }), [save(1, 9, 'b'), save(2, 9, 'b')])
    const node = run(file(path, { segmentSize: 16 << 10 }))
    for (let i = 1; i <= 20; i++) {
      node.save$.next(save(i, 9, 'b', batch(i, 9, ['x'.repeat(2000)])))
      await node.acknowledged(i)
    }
    node.stop()
    const segments = Object.values(contentOf(path))
    expect(segments.length).toBeGreaterThan(2)
    for (const bytes of segments) {
      const { ballot } = decodeBody(readRecord(bytes, SEGMENT_HEADER)!.body)
      expect(ballot).toEqual({ term: 9, vote: 'b' })
    }
  })
})

describe('group commit', () => {
  it('puts what arrives during a write into the next one', async () => {
    let writes = 0
    const files = {
      ...nodeFileSystem,
      write: ((...args) => {
        writes++
        nodeFileSystem.write(...args)
      }) satisfies typeof nodeFileSystem.write,
    }
    const node = run(fileStorage(files, directory(), 1 << 20))
    await node.restored()
    writes = 0
    for (const it of long(1000, 10)) node.save$.next(it)
    await node.acknowledged(1000)
    expect(writes).toBe(2)
    node.stop()
  })

  it('writes term, vote and entries in one append [bug 4]', async () => {
    const appended: Buffer[] = []
    const files = {
      ...nodeFileSystem,
      write: ((fd, bytes, offset, length, position, done) => {
        appended.push(Buffer.from(bytes.subarray(offset, offset + length)))
        nodeFileSystem.write(fd, bytes, offset, length, position, done)
      }) satisfies typeof nodeFileSystem.write,
    }
    const node = run(fileStorage(files, directory(), 1 << 20))
    await node.restored()
    appended.length = 0
    node.save$.next(save(1, 5, 'the-vote', batch(1, 5, ['the-entry'])))
    await node.acknowledged(1)
    expect(appended).toHaveLength(1)
    expect(appended[0]!.includes('the-vote') && appended[0]!.includes('the-entry')).toBe(true)
    node.stop()
  })
})

describe('closing', () => {
  const openFiles = (path: string): string[] =>
    readdirSync('/proc/self/fd')
      .map((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`)
        } catch {
          return ''
        }
      })
      .filter((it) => it.startsWith(path))

  it.runIf(process.platform === 'linux')('leaves no descriptor open', async () => {
    const path = directory()
    const node = run(file(path, { segmentSize: 16 << 10 }), long(30, 2000))
    await node.acknowledged(30)
    expect(openFiles(path)).not.toEqual([])
    node.stop()
    await vi.waitFor(() => expect(openFiles(path)).toEqual([]), { timeout: 5000 })
  })

  it.runIf(process.platform === 'linux')('also when it is stopped while opening', async () => {
    const path = directory()
    run(file(path), long(3, 10)).stop()
    await reopen(file(path))
    await vi.waitFor(() => expect(openFiles(path)).toEqual([]), { timeout: 5000 })
  })

  it('waits for the write in flight before it closes the file', async () => {
    const path = directory()
    const calls: string[] = []
    let finish = (): void => {}
    let isHeld = false
    const files: FileSystem = {
      ...nodeFileSystem,
      write: (fd, bytes, offset, length, position, done) =>
        nodeFileSystem.write(fd, bytes, offset, length, position, (error, written) => {
          calls.push('written')
          finish = () => done(error, written)
          if (!isHeld) finish()
        }),
      close: (fd) => {
        calls.push('closed')
        return nodeFileSystem.close(fd)
      },
    }
    const node = run(fileStorage(files, path, 1 << 20))
    await node.restored()
    const before = calls.length
    isHeld = true
    node.save$.next(long(1, 10)[0]!)
    await vi.waitUntil(() => calls.length > before)
    node.stop()
    const next = reopen(file(path))
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    expect(calls.slice(before)).toEqual(['written'])
    finish()
    expect(entriesOf((await next).batches)).toEqual(logAfter(long(1, 10)))
    expect(calls.slice(before)).toEqual(['written', 'closed'])
  })

  it('waits for it also when a save that contradicts the log ends it', async () => {
    const path = directory()
    let isHeld = false
    let finish = (): void => {}
    let closed = 0
    const files: FileSystem = {
      ...nodeFileSystem,
      write: (fd, bytes, offset, length, position, done) =>
        nodeFileSystem.write(fd, bytes, offset, length, position, (error, written) => {
          finish = () => done(error, written)
          if (!isHeld) finish()
        }),
      close: (fd) => {
        closed++
        return nodeFileSystem.close(fd)
      },
    }
    const node = run(fileStorage(files, path, 1 << 20))
    await node.restored()
    const before = closed
    isHeld = true
    finish = () => {}
    const idle = finish
    node.save$.next(long(1, 10)[0]!)
    await vi.waitUntil(() => finish !== idle)
    node.save$.next(save(2, 1, 'a', batch(9, 1, ['far away'])))
    expect(await node.ended()).toMatchObject({ code: 'invariant' })
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    expect(closed).toBe(before)
    finish()
    expect(entriesOf((await reopen(file(path))).batches)).toEqual(logAfter(long(1, 10)))
  })

  it('lets the write in flight finish', async () => {
    const path = directory()
    const node = run(file(path))
    await node.restored()
    for (const it of long(3, 10)) node.save$.next(it)
    node.stop()
    // The first was in flight, the others had not begun.
    expect(entriesOf((await reopen(file(path))).batches)).toEqual(logAfter(long(1, 10)))
  })
})

describe('opening', () => {
  it('writes the last segment anew, on another inode [F12]', async () => {
    const path = directory()
    await saveAll(file(path), long(3, 10))
    const inode = (): number => statSync(join(path, '00000001.log')).ino
    const before = inode()
    const node = run(file(path))
    await node.restored()
    expect(inode()).not.toBe(before)
    node.stop()
  })

  it('drops the draft of a segment that a crash left behind', async () => {
    const path = directory()
    await saveAll(file(path), long(3, 10))
    await nodeFileSystem.copy(join(path, '00000001.log'), join(path, '00000009.log.new'))
    expect(entriesOf((await reopen(file(path))).batches)).toEqual(logAfter(long(3, 10)))
    expect(readdirSync(path)).not.toContain('00000009.log.new')
  })

  it('sums up a record whose batches are large and small, one by one', async () => {
    const path = directory()
    const sizes = [10_000, 10, 4_096, 4_095, 70_000, 1]
    const batches = sizes.map((size, i) => batch(i + 1, 1, [String(i).repeat(size)]))
    const saves = [save(1, 1, 'a', ...batches), save(2, 2, undefined, batch(7, 2, ['z']))]
    await saveAll(file(path), saves)
    expect(entriesOf((await reopen(file(path))).batches)).toEqual(logAfter(saves))
  })

  it('makes a new directory durable, with its parents [F22]', async () => {
    const path = join(directory(), 'deep', 'down')
    const opened: string[] = []
    const files = {
      ...nodeFileSystem,
      open: (it: string, flags: number) => {
        opened.push(it)
        return nodeFileSystem.open(it, flags)
      },
    }
    await saveAll(fileStorage(files, path, 1 << 20), long(1, 10))
    const parents = [join(path, '..', '..', '..'), join(path, '..', '..'), join(path, '..')]
    expect(opened.slice(1, 4)).toEqual(parents)
  })

  it('reads a million entries in well under two seconds', { timeout: 60_000 }, async () => {
    const path = directory()
    const texts = Array.from({ length: 4096 }, () => 'x'.repeat(64))
    const it = batch(1, 1, texts)
    const saves = Array.from({ length: 245 }, (_, i) =>
      save(i + 1, 1, 'a', { ...it, index: i * 4096 + 1 }),
    )
    await saveAll(file(path, { unsafeNoFsync: true }), saves)
    const start = performance.now()
    const { batches } = await recover(nodeFileSystem, path)
    expect(performance.now() - start).toBeLessThan(2000)
    expect(batches.reduce((sum, { count }) => sum + count, 0)).toBe(245 * 4096)
  })

  it('gives nothing to a subscriber that has left', async () => {
    const seen: unknown[] = []
    const path = directory()
    file(path)(new Subject<Save>())
      .subscribe((event) => seen.push(event))
      .unsubscribe()
    await reopen(file(path))
    expect(seen).toEqual([])
  })
})
