import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verify } from '../../../adapters/storage/file.ts'
import { nodeFileSystem } from '../../../adapters/storage/file/filesystem.ts'
import { PIECE } from '../../../adapters/storage/file/snapshotFile.ts'
import { fileStorage } from '../../../adapters/storage/file/storage.ts'
import { chunksOf, mark, read, snapshotIn, someBytes, write } from './chunks.ts'
import { faulty } from './faulty.ts'
import { batch, reopen, run, save } from './run.ts'
import {
  BYTES,
  directoryWith,
  expectRefusal,
  flipped,
  logs,
  madeOnce,
  open,
  SNAPSHOT,
  without,
} from './shortened.ts'

const made = madeOnce()

describe('a snapshot that is damaged is refused [F18]', { timeout: 60_000 }, () => {
  it('in its header', async () => {
    for (const at of [0, 7, 8, 11, 12, 16, 23, 24, 28, 31, 32, 60, 2000, 4095]) {
      const files = { ...made.rest, [SNAPSHOT]: flipped(made.rest[SNAPSHOT]!, at) }
      await expectRefusal(files, { file: SNAPSHOT, offset: 0 })
    }
  })

  it('in its trailer, and wherever the file ends', async () => {
    const bytes = made.rest[SNAPSHOT]!
    const { length } = bytes
    for (let at = length - 24; at < length; at++) {
      const files = { ...made.rest, [SNAPSHOT]: flipped(bytes, at) }
      await expectRefusal(files, { file: SNAPSHOT, offset: length - 24 })
    }
    for (const end of [0, 1, 4095, 4096, 4096 + PIECE, length - 25, length - 1]) {
      await expectRefusal({ ...made.rest, [SNAPSHOT]: bytes.subarray(0, end) }, { file: SNAPSHOT })
    }
    await expectRefusal(
      { ...made.rest, [SNAPSHOT]: Buffer.concat([bytes, bytes.subarray(-24)]) },
      { file: SNAPSHOT, reason: 'length' },
    )
  })

  it('in a piece, of which nothing is handed on', async () => {
    const bytes = made.rest[SNAPSHOT]!
    const starts = [4096, 4096 + PIECE, 4096 + 2 * PIECE]
    for (const [i, start] of starts.entries()) {
      for (const at of [0, 4, 8, 16, 24, 31, 32, 900]) {
        const path = directoryWith({ ...made.rest, [SNAPSHOT]: flipped(bytes, start + at) })
        const node = run(open(path))
        await node.restored()
        await expect(read(node, 20)).rejects.toMatchObject({
          ...{ code: 'corrupt-log', file: join(path, SNAPSHOT), offset: start },
        })
        expect(node.pieces).toHaveLength(i)
        const { problems } = await verify(path)
        expect(problems).toMatchObject([{ file: join(path, SNAPSHOT), offset: start }])
      }
    }
  })

  it('when its pieces changed places', async () => {
    const bytes = Buffer.from(made.rest[SNAPSHOT]!)
    const one = Buffer.from(bytes.subarray(4096, 4096 + PIECE))
    bytes.copyWithin(4096, 4096 + PIECE, 4096 + 2 * PIECE)
    one.copy(bytes, 4096 + PIECE)
    const path = directoryWith({ ...made.rest, [SNAPSHOT]: bytes })
    await expect(snapshotIn(open(path), 20)).rejects.toMatchObject({
      ...{ offset: 4096, reason: 'the piece was written for another place' },
    })
  })

  it('under another name, and from another server', async () => {
    const moved = { ...without(made.rest, SNAPSHOT), 'snapshot-21.snap': made.rest[SNAPSHOT]! }
    await expectRefusal(moved, { file: 'snapshot-21.snap', reason: 'through entry 20' })
    const foreign = { ...made.rest, [SNAPSHOT]: (await logs()).rest[SNAPSHOT]! }
    await expectRefusal(foreign, { file: SNAPSHOT, reason: 'another log' })
  })
})

describe('what a crash leaves of snapshots', () => {
  it('is cleared away: the newest whole one counts', async () => {
    const path = directoryWith(made.rest)
    const node = run(open(path))
    await node.restored()
    await write(node, chunksOf(mark(25, 9), someBytes(77, 1)))
    node.stop()
    await reopen(open(path))
    writeFileSync(join(path, SNAPSHOT), made.rest[SNAPSHOT]!)
    writeFileSync(join(path, 'snapshot-99.snap.new'), made.rest[SNAPSHOT]!.subarray(0, 5000))
    expect((await reopen(open(path))).snapshot).toEqual(mark(25, 9))
    expect(readdirSync(path).filter((name) => name.includes('snap'))).toEqual(['snapshot-25.snap'])
    expect(await snapshotIn(open(path), 25)).toEqual(Buffer.from(someBytes(77, 1)))
  })

  it('and stopping leaves nothing unfinished behind', async () => {
    const path = directoryWith(made.rest)
    const node = run(open(path))
    await node.restored()
    await write(node, chunksOf(mark(25, 9), BYTES).slice(0, 3))
    node.stop()
    await reopen(open(path))
    expect(readdirSync(path).filter((name) => name.includes('snap'))).toEqual([SNAPSHOT])
  })
})

describe('a snapshot is whole', () => {
  it('when it is durable, and only then: synced, renamed, and the directory synced [F22]', async () => {
    const path = directoryWith(made.rest)
    const order: string[] = []
    const files = faulty((change) => {
      order.push(change)
      return 'works'
    })
    const node = run(fileStorage(files, path, 16 << 10))
    await node.restored()
    const chunks = chunksOf(mark(25, 9), BYTES, [600_000])
    await write(node, chunks.slice(0, -1))
    // A segment may be laid out beside it; that is renamed when it is needed.
    order.length = 0
    node.save$.next(chunks.at(-1)!)
    await node.answered(1)
    expect(order).toEqual([
      ...['open', 'write', 'write', 'datasync', 'write', 'datasync', 'write', 'datasync', 'write'],
      ...['sync', 'rename', 'open', 'sync', 'remove'],
    ])
    node.stop()
  })
})

describe('a disk without space for a snapshot', () => {
  it('refuses it, with a notice, and goes on with the log and the older one [F20] [bug 59]', async () => {
    const path = directoryWith(made.rest)
    let isFull = true
    const files = {
      ...nodeFileSystem,
      datasync: ((fd, done) => {
        if (!isFull) return nodeFileSystem.datasync(fd, done)
        done(Object.assign(new Error('full'), { code: 'ENOSPC' }))
      }) satisfies typeof nodeFileSystem.datasync,
    }
    const node = run(fileStorage(files, path, 1 << 20))
    await node.restored()
    const chunks = chunksOf(mark(25, 9), someBytes(2 << 20), [2 << 20])
    expect(await write(node, chunks)).toEqual({ type: 'chunkRefused', index: 25 })
    expect(node.notices).toMatchObject([{ code: 'snapshot-no-space' }])
    expect(readdirSync(path)).not.toContain('snapshot-25.snap.new')
    expect((await read(node, 20))!.bytes).toEqual(Buffer.from(BYTES))
    node.save$.next(save(1, 9, 'b', batch(31, 9, ['on'])))
    await node.acknowledged(1)
    isFull = false
    expect(await write(node, chunks)).toMatchObject({ type: 'chunkWritten', isLast: true })
    node.stop()
    expect((await reopen(open(path))).snapshot).toEqual(mark(25, 9))
  })
})
