import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { expect, it } from 'vitest'
import { InvariantError } from '../../lib/errors.ts'
import type { DiskRequest, WriteChunk } from '../../lib/storage.ts'
import type { Mark } from '../../lib/types.ts'
import {
  chunksOf,
  mark,
  read,
  snapshotAt,
  snapshotIn,
  someBytes,
  write,
} from '../adapters/storage/chunks.ts'
import { batch, reopen, run, save } from '../adapters/storage/run.ts'
import type { Make } from './storage.ts'
import { foundingMembers } from '../../lib/members.ts'

/** What every storage owes a snapshot (§7). */
export function snapshotLaws(make: Make): void {
  keepLaws(make)
  refusalLaws(make)
  readLaws(make)
  besideLaws(make)
}

const BYTES = someBytes(700_000)

/** Runs what is needed of a node and stops it. */
async function within<T>(make: Make, work: (node: ReturnType<typeof run>) => Promise<T>) {
  const storage = await make()
  const node = run(storage)
  await node.restored()
  try {
    return { result: await work(node), storage }
  } finally {
    node.stop()
  }
}

function keepLaws(make: Make): void {
  it('keeps a snapshot that came in chunks, and its mark whole', async () => {
    const addresses = { later: 'there:7' }
    const members = { ...foundingMembers(['a', 'ü'], addresses), index: 7, learners: ['later'] }
    const its: Mark = { ...mark(9, 3), members }
    const { result, storage } = await within(make, (node) => write(node, chunksOf(its, BYTES)))
    expect(result).toEqual({ type: 'chunkWritten', index: 9, end: BYTES.length, isLast: true })
    expect((await reopen(storage)).snapshot).toEqual(its)
    expect(Buffer.from(BYTES).equals((await snapshotIn(storage, 9))!)).toBe(true)
  })

  it('says of each chunk how far it has come', () =>
    within(make, async (node) => {
      await write(node, chunksOf(mark(9, 3), someBytes(10), [4]))
      const ends = node.pieces.map((it) => it.type === 'chunkWritten' && [it.end, it.isLast])
      expect(ends).toEqual([
        [4, false],
        [8, false],
        [10, true],
      ])
    }))

  it('keeps one of any length, in chunks of any length', () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.nat(20), fc.integer({ min: 262_000, max: 262_300 }), fc.nat(900_000)),
        fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (length, some, isSummed) => {
          const sizes = some.map((size) => Math.max(size, Math.ceil(length / 30)))
          const bytes = someBytes(length, some[0])
          const sum = isSummed ? crc32(bytes) : undefined
          const storage = await make()
          const node = run(storage)
          const chunks = chunksOf(mark(5, 2), bytes, sizes).map((it) => ({ ...it, checksum: sum }))
          expect(await write(node, chunks)).toMatchObject({ type: 'chunkWritten', end: length })
          const [now] = [await read(node, 5)]
          expect([bytes.length, crc32(bytes)]).toEqual([now!.bytes.length, now!.checksum])
          node.stop()
          expect(Buffer.from(bytes).equals((await snapshotIn(storage, 5))!)).toBe(true)
        },
      ),
      { numRuns: 12 },
    ))

  it('gives the newest and no other one', async () => {
    const storage = await make()
    await snapshotAt(storage, 5, 2, BYTES)
    await snapshotAt(storage, 9, 2, someBytes(50, 1))
    expect((await reopen(storage)).snapshot).toEqual(mark(9, 2))
    expect(await snapshotIn(storage, 5)).toBeUndefined()
    expect(await snapshotIn(storage, 9)).toEqual(Buffer.from(someBytes(50, 1)))
  })

  it('may replace one of the same entry', async () => {
    const storage = await make()
    await snapshotAt(storage, 5, 2, BYTES)
    await snapshotAt(storage, 5, 2, someBytes(50, 1))
    expect(await snapshotIn(storage, 5)).toEqual(Buffer.from(someBytes(50, 1)))
  })

  it('keeps the older one while another is written, and forgets that one when the node ends', async () => {
    const storage = await make()
    await snapshotAt(storage, 5, 2, BYTES)
    const node = run(storage)
    const chunks = chunksOf(mark(9, 2), someBytes(700_000, 1))
    await write(node, chunks.slice(0, -1))
    expect((await read(node, 5))!.checksum).toBe(crc32(BYTES))
    expect(await read(node, 9)).toBeUndefined()
    node.stop()
    expect((await reopen(storage)).snapshot).toEqual(mark(5, 2))
    const after = run(storage)
    await after.restored()
    after.save$.next(chunks.at(-1)!)
    expect(await after.ended()).toBeInstanceOf(InvariantError)
  })

  it('begins anew with a chunk at 0, whatever was unfinished', () =>
    within(make, async (node) => {
      await write(node, chunksOf(mark(9, 2), BYTES).slice(0, 3))
      await write(node, chunksOf(mark(8, 2), BYTES).slice(0, 3))
      await write(node, chunksOf(mark(8, 2), someBytes(30, 3), [7]))
      expect((await read(node, 8))!.bytes).toEqual(Buffer.from(someBytes(30, 3)))
    }))
}

function refusalLaws(make: Make): void {
  it('refuses a whole with another checksum; the one before it still stands [F18]', async () => {
    const { storage } = await within(make, async (node) => {
      await write(node, chunksOf(mark(5, 2), BYTES))
      const wrong = chunksOf(mark(9, 2), BYTES, [300_000], crc32(BYTES) ^ 1)
      expect(await write(node, wrong)).toEqual({ type: 'chunkRefused', index: 9 })
      expect(await read(node, 9)).toBeUndefined()
      expect((await read(node, 5))!.checksum).toBe(crc32(BYTES))
      expect(await write(node, chunksOf(mark(9, 2), BYTES))).toMatchObject({ isLast: true })
    })
    expect((await reopen(storage)).snapshot).toEqual(mark(9, 2))
  })

  const [first, second, third] = chunksOf(mark(9, 2), BYTES) as [WriteChunk, WriteChunk, WriteChunk]
  it.each<[string, DiskRequest[]]>([
    ['that follows nothing', [second]],
    ['after a gap', [first, third]],
    ['again', [first, second, second]],
    ['of another entry', [first, { ...second, mark: mark(10, 2) }]],
    ['of another term', [first, { ...second, mark: mark(9, 3) }]],
    ['behind a last one', [...chunksOf(mark(9, 2), someBytes(4), [2]), { ...second, offset: 4 }]],
    ['of a snapshot older than the newest', [{ ...first, mark: mark(4, 2) }]],
    ['of the same entry in another term [bug 38]', [{ ...first, mark: mark(5, 3) }]],
  ])('refuses a chunk %s', async (_what, chunks) => {
    const storage = await make()
    await snapshotAt(storage, 5, 2, someBytes(30))
    const node = run(storage)
    await node.restored()
    for (const it of chunks) node.save$.next(it)
    expect(await node.ended()).toBeInstanceOf(InvariantError)
    expect(node.pieces.length).toBeLessThan(chunks.length)
  })
}

function readLaws(make: Make): void {
  it('reads from anywhere, in pieces of a bounded length', () =>
    within(make, async (node) => {
      await write(node, chunksOf(mark(5, 2), BYTES, [1_000_000]))
      for (const offset of [0, 1, 262_111, 262_112, 262_144, 699_999, 700_000]) {
        const found = (await read(node, 5, offset))!
        expect(Buffer.from(BYTES.subarray(offset)).equals(found.bytes)).toBe(true)
        expect(found.checksum).toBe(crc32(BYTES))
        for (const part of found.parts) expect(part.length).toBeLessThanOrEqual(256 * 1024)
      }
    }))

  it('gives nothing beyond the end, and nothing of a snapshot that is not there', () =>
    within(make, async (node) => {
      expect(await read(node, 5)).toBeUndefined()
      await write(node, chunksOf(mark(5, 2), someBytes(10)))
      expect(await read(node, 5, 11)).toBeUndefined()
      expect(await read(node, 4)).toBeUndefined()
      expect(await read(node, 6)).toBeUndefined()
    }))
}

function besideLaws(make: Make): void {
  it('answers saves and chunks, each in their order', () =>
    within(make, async (node) => {
      const chunks = chunksOf(mark(1, 1), BYTES, [50_000])
      chunks.forEach((chunk, i) => {
        node.save$.next(chunk)
        node.save$.next(save(i + 1, 1, 'a', batch(i + 1, 1, ['x'])))
      })
      await node.acknowledged(chunks.length)
      await node.answered(chunks.length)
      expect(node.saved.map(({ sequence }) => sequence)).toEqual(chunks.map((_, i) => i + 1))
      const ends = node.pieces.map((it) => it.type === 'chunkWritten' && it.end)
      expect(ends).toEqual(chunks.map(({ offset, bytes }) => offset + bytes.length))
    }))

  it('completes after the last answer when its source completes', async () => {
    const node = run(await make(), chunksOf(mark(1, 1), BYTES, [50_000]))
    node.save$.complete()
    expect(await node.ended()).toBeUndefined()
    expect(node.pieces.at(-1)).toMatchObject({ type: 'chunkWritten', isLast: true })
  })

  it('takes a chunk from within the answer to another, and before it has restored', async () => {
    const storage = await make()
    const chunks = chunksOf(mark(1, 1), BYTES, [50_000])
    const node = run(storage, chunks.slice(0, 1))
    for (const [i, chunk] of chunks.entries()) {
      if (i > 0) node.save$.next(chunk)
      await node.answered(i + 1)
    }
    node.stop()
    expect((await reopen(storage)).snapshot).toEqual(mark(1, 1))
  })

  it('says nothing after it is unsubscribed', async () => {
    const storage = await make()
    const node = run(storage, chunksOf(mark(1, 1), BYTES, [50_000]))
    await node.answered(3)
    node.stop()
    const said = node.said.length
    const { snapshot } = await reopen(storage)
    expect(node.said).toHaveLength(said)
    expect([undefined, mark(1, 1)]).toContainEqual(snapshot)
  })
}
