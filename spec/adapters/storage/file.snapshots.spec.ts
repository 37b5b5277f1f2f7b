import { fstatSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verify } from '../../../adapters/storage/file.ts'
import { nodeFileSystem, type FileSystem } from '../../../adapters/storage/file/filesystem.ts'
import { PIECE, PIECE_PAYLOAD, piecesLength } from '../../../adapters/storage/file/snapshotFile.ts'
import { fileStorage } from '../../../adapters/storage/file/storage.ts'
import type { ChunkRead } from '../../../lib/storage.ts'
import { chunksOf, mark, read, snapshotIn, someBytes, write } from './chunks.ts'
import { faulty, systemError } from './faulty.ts'
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
    await expect.poll(() => order).toContain('remove')
    const piece = files.directFlag === 0 ? ['write', 'datasync'] : ['write']
    expect(order).toEqual([
      ...['open', 'write', ...piece, ...piece, 'write'],
      ...['sync', 'rename', 'open', 'sync', 'remove'],
    ])
    node.stop()
  })
})

describe('the snapshot before it', () => {
  /** The lengths to which files are cut. */
  function watched() {
    const cuts: number[] = []
    const truncate: FileSystem['truncate'] = (fd, length) => {
      cuts.push(length)
      return nodeFileSystem.truncate(fd, length)
    }
    return { cuts, files: { ...nodeFileSystem, truncate } }
  }

  async function replaced(path: string, files: FileSystem) {
    const node = run(fileStorage(files, path, 1 << 20))
    await node.restored()
    await write(node, chunksOf(mark(25, 9), someBytes(3 << 20), [1 << 20]))
    await write(node, chunksOf(mark(26, 9), someBytes(77)))
    return node
  }

  it('goes bit by bit, so that no write waits for all of it', async () => {
    const path = directoryWith(made.rest)
    const { cuts, files } = watched()
    const node = await replaced(path, files)
    await expect.poll(() => readdirSync(path)).not.toContain('snapshot-25.snap')
    const whole = 4096 + piecesLength(3 << 20) + 24
    const bits = [1, 2, 3].map((i) => whole - (i << 20))
    expect(cuts.filter((it) => bits.includes(it))).toEqual(bits)
    node.stop()
    await reopen(open(path))
  })

  it('is gone at once when the node stops', async () => {
    const path = directoryWith(made.rest)
    const { files } = watched()
    const node = await replaced(path, files)
    node.stop()
    expect((await reopen(open(path))).snapshot).toEqual(mark(26, 9))
    expect(readdirSync(path).filter((name) => name.includes('snap'))).toEqual(['snapshot-26.snap'])
  })
})

describe('the pieces that are read', () => {
  it('lie in two rooms of their own for each reader', async () => {
    const path = directoryWith(made.rest)
    const node = run(open(path))
    await node.restored()
    await write(node, chunksOf(mark(25, 9), someBytes(5 * PIECE_PAYLOAD), [1 << 20]))
    const rooms: Record<string, ArrayBufferLike[]> = { x: [], y: [] }
    for (let offset = 0; offset < 4 * PIECE_PAYLOAD; offset += PIECE_PAYLOAD) {
      for (const reader of ['x', 'y']) {
        const count = node.pieces.length
        node.save$.next({ type: 'readChunk', index: 25, offset, reader })
        const piece = await node.answered(count + 1)
        rooms[reader]!.push((piece as ChunkRead).bytes!.buffer)
      }
    }
    const [x, y] = [rooms['x']!, rooms['y']!]
    expect([x[2], x[3], y[2], y[3]]).toEqual([x[0], x[1], y[0], y[1]])
    expect(new Set([...x, ...y]).size).toBe(4)
    node.stop()
  })
})

describe('a disk without space for a snapshot', () => {
  it('refuses it, with a notice, and goes on with the log and the older one [F20] [bug 59]', async () => {
    const path = directoryWith(made.rest)
    let isFull = true
    const files = {
      ...nodeFileSystem,
      write: ((fd, bytes, offset, length, position, done) => {
        const isBeyond = position > 0 && position + length > fstatSync(fd).size
        if (isFull && isBeyond) return done(systemError('ENOSPC'), 0)
        nodeFileSystem.write(fd, bytes, offset, length, position, done)
      }) satisfies typeof nodeFileSystem.write,
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
