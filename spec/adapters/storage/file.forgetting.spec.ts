import { renameSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { fileStorage } from '../../../adapters/storage/file/storage.ts'
import type { Save } from '../../../lib/storage.ts'
import { chunksOf, mark, snapshotIn, write } from './chunks.ts'
import { contentOf } from './directories.ts'
import { faulty } from './faulty.ts'
import { batch, entriesOf, logAfter, reopen, run, save } from './run.ts'
import {
  BYTES,
  directory,
  directoryWith,
  expectRefusal,
  FIRST,
  isSegment,
  logs,
  madeOnce,
  open,
  saves,
  segmentsIn,
  SNAPSHOT,
  without,
} from './shortened.ts'

const made = madeOnce()

describe('forgetting', { timeout: 60_000 }, () => {
  it('removes whole segments, the oldest first, and keeps term and vote', async () => {
    const { path } = await logs()
    const [all, kept] = [Object.keys(made.whole).filter(isSegment), segmentsIn(path)]
    expect(kept.length).toBeGreaterThan(1)
    expect(all.slice(-kept.length)).toEqual(kept)
    expect(kept).not.toContain(FIRST)
    const { term, vote, batches, snapshot } = await reopen(open(path))
    expect([term, vote, snapshot]).toEqual([9, 'b', mark(20, 9)])
    const first = batches[0]!.index
    expect([16, 17, 18]).toContain(first)
    expect(entriesOf(batches)).toEqual(logAfter(saves).slice(first - 1))
    expect(await snapshotIn(open(path), 20)).toEqual(Buffer.from(BYTES))
  })

  it('makes each removal durable before the next', async () => {
    const path = directoryWith(made.rest)
    const order: string[] = []
    const files = faulty((change) => {
      order.push(change)
      return 'works'
    })
    const node = run(fileStorage(files, path, 16 << 10))
    await node.restored()
    await write(node, chunksOf(mark(30, 9), BYTES))
    // The older snapshot goes by the way.
    await vi.waitUntil(() => order.includes('remove'))
    const count = segmentsIn(path).length - 1
    order.length = 0
    node.save$.next({ type: 'forget', before: 31 })
    await vi.waitUntil(() => order.length >= 3 * count)
    expect(count).toBeGreaterThan(1)
    expect(order).toEqual(Array.from({ length: count }, () => ['remove', 'open', 'sync']).flat())
    node.stop()
  })

  it('goes on when there was nothing to remove, and with what is finished only later', async () => {
    const path = directory()
    const node = run(open(path))
    const put = async (it: Save): Promise<void> => {
      node.save$.next(it)
      await node.acknowledged(it.sequence)
    }
    await put(saves[0]!)
    await write(node, chunksOf(mark(1, 9), BYTES))
    node.save$.next({ type: 'forget', before: 1 })
    // Three fit into a segment.
    for (const it of saves.slice(1, 9)) await put(it)
    await write(node, chunksOf(mark(9, 9), BYTES))
    node.save$.next({ type: 'forget', before: 10 })
    await vi.waitUntil(() => segmentsIn(path).length === 1)
    const [newest] = segmentsIn(path)
    // Its entries are forgotten already: it goes as soon as another one has the ballot.
    for (const it of saves.slice(9, 16)) await put(it)
    await vi.waitUntil(() => !segmentsIn(path).includes(newest!))
    node.stop()
    const { batches, vote } = await reopen(open(path))
    expect([vote, batches[0]!.index <= 10, batches.at(-1)!.index]).toEqual(['b', true, 16])
  })

  it('removes the segments before a reset, and goes on with their numbers', async () => {
    const { path } = await logs()
    const node = run(open(path))
    await node.restored()
    await write(node, chunksOf(mark(50, 9), BYTES))
    const before = segmentsIn(path)
    const reset = { index: 50, term: 9 }
    node.save$.next({ ...save(1, 9, 'b', batch(51, 9, ['x'.repeat(15_000)])), reset })
    node.save$.next(save(2, 9, 'b', batch(52, 9, ['y'.repeat(15_000)])))
    await node.acknowledged(2)
    await vi.waitUntil(() => !segmentsIn(path).some((name) => before.includes(name)))
    node.stop()
    const { batches, term, vote } = await reopen(open(path))
    expect([term, vote, batches[0]?.index, batches.length]).toEqual([9, 'b', 51, 2])
  })

  it('never removes the newest segment that has a record: it has the ballot', async () => {
    const path = directory()
    // The disk fails in the first write to the second segment.
    let rolled = false
    const files = faulty((change) => {
      if (change === 'rename' && segmentsIn(path).length > 0) rolled = true
      return rolled && change === 'write' && segmentsIn(path).length > 1 ? 'fails' : 'works'
    })
    const node = run(fileStorage(files, path, 16 << 10))
    for (const it of saves) node.save$.next(it)
    await node.ended()
    const broken = run(open(path))
    const { batches } = await broken.restored()
    const last = batches.at(-1)!.index
    await write(broken, chunksOf(mark(last, 9), BYTES))
    broken.save$.next({ type: 'forget', before: last + 1 })
    await write(broken, chunksOf(mark(last, 9), BYTES))
    broken.stop()
    expect(await reopen(open(path))).toMatchObject({ term: 9, vote: 'b' })
    expect(segmentsIn(path)).toHaveLength(2)
  })
})

describe('a beginning that is missing is refused [bug 27] [F18]', () => {
  it('without a snapshot', async () => {
    await expectRefusal(without(made.rest, SNAPSHOT), { file: FIRST, reason: 'is missing' })
  })

  it('with a snapshot that does not reach so far', async () => {
    const path = directoryWith(without(made.whole, SNAPSHOT))
    const node = run(open(path))
    await node.restored()
    await write(node, chunksOf(mark(5, 9), BYTES))
    node.stop()
    await reopen(open(path))
    const older = contentOf(path)['snapshot-5.snap']!
    const files = { ...without(made.rest, SNAPSHOT), 'snapshot-5.snap': older }
    const number = Number.parseInt(Object.keys(made.rest).find(isSegment)!, 10)
    const file = `${String(number - 1).padStart(8, '0')}.log`
    await expectRefusal(files, { file, reason: 'entries 6 to 1' })
  })

  it('with the ballot', async () => {
    const names = Object.keys(made.rest).filter(isSegment)
    const last = names.at(-1)!
    const header = made.rest[last]!.subarray(0, 4096)
    const files = { ...without(made.rest, ...names), [last]: Buffer.from(header) }
    await expectRefusal(files, { file: names.at(-2)!, reason: 'term and vote' })
  })

  it('with all segments', async () => {
    await expectRefusal({ [SNAPSHOT]: made.rest[SNAPSHOT]! }, { file: FIRST, reason: 'is missing' })
  })

  it('and so is a segment in the middle', async () => {
    const second = Object.keys(made.rest).filter(isSegment)[1]!
    await expectRefusal(without(made.rest, second), { file: second, reason: 'is missing' })
  })
})

describe('a log of version 1', () => {
  it('is read, and goes on as one of the present version', async () => {
    const path = directoryWith(await versionOne())
    const { batches } = await reopen(open(path))
    expect(entriesOf(batches)).toEqual(logAfter(saves))
    const versions = Object.entries(contentOf(path))
      .filter(([name]) => isSegment(name))
      .map(([, bytes]) => bytes.readUInt32LE(12))
    expect(new Set(versions.slice(0, -1))).toEqual(new Set([1]))
    expect(versions.at(-1)).toBe(3)
    renameSync(path, `${path}-again`)
    expect(entriesOf((await reopen(open(`${path}-again`))).batches)).toEqual(logAfter(saves))
  })

  /** The segments under the headers that they had then. */
  async function versionOne(): Promise<Record<string, Buffer>> {
    const { crc32 } = await import('node:zlib')
    return Object.fromEntries(
      Object.entries(without(made.whole, SNAPSHOT)).map(([name, bytes]) => {
        const old = Buffer.from(bytes)
        old.writeUInt32LE(1, 12)
        old.writeUInt32LE(crc32(old.subarray(12, 4096)), 8)
        return [name, old]
      }),
    )
  }
})
