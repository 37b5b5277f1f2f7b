import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { file } from '../../../adapters/storage/file.ts'
import { encodeRecord, readRecord } from '../../../adapters/storage/file/record.ts'
import { encodeHeader, SEGMENT_HEADER } from '../../../adapters/storage/file/segment.ts'
import { CorruptLog, UnknownFormat } from '../../../lib/errors.ts'
import type { Ballot } from '../../../lib/types.ts'
import { contentOf, expectUnchanged, temporaryDirectories } from './directories.ts'
import { batch, entriesOf, logAfter, reopen, run, save } from './run.ts'

const directory = temporaryDirectories()
const open = (path: string) => file(path, { segmentSize: 16 << 10, unsafeNoFsync: true })

const FIRST = '00000001.log'
const SECOND = '00000002.log'
const saves = [
  save(1, 1, 'a', batch(1, 1, ['one'])),
  save(2, 2, undefined, batch(2, 2, ['', 'two'], 'command')),
  save(3, 2, 'b', batch(4, 2, ['three'.repeat(20)])),
  save(4, 3, 'c', batch(5, 3, ['four'.repeat(5), 'five'])),
]

/** The files of a log of one record for each save. */
async function logOf(all = saves): Promise<Record<string, Buffer>> {
  const path = directory()
  const node = run(open(path))
  for (const it of all) {
    node.save$.next(it)
    await node.acknowledged(it.sequence)
  }
  node.stop()
  await reopen(open(path))
  return contentOf(path)
}

function directoryWith(files: Record<string, Buffer>): string {
  const path = directory()
  mkdirSync(path, { recursive: true })
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(path, name), bytes)
  return path
}

/** Where the records of a segment begin, and where the last one ends. */
function offsetsOf(bytes: Buffer): number[] {
  const offsets = [SEGMENT_HEADER]
  for (
    let it = readRecord(bytes, SEGMENT_HEADER);
    it !== undefined;
    it = readRecord(bytes, it.end)
  ) {
    offsets.push(it.end)
  }
  return offsets
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 0x10
  return copy
}

/** Opening refuses, says where, and leaves every file as it was. */
async function expectRefusal(
  files: Record<string, Buffer>,
  where: { file: string; offset?: number; reason?: string },
): Promise<void> {
  const path = directoryWith(files)
  const error = await run(open(path)).ended()
  expect(error).toBeInstanceOf(CorruptLog)
  expect(error).toMatchObject({ file: join(path, where.file) })
  const { offset, reason, remedy } = error as CorruptLog
  if (where.offset !== undefined) expect(offset).toBe(where.offset)
  if (where.reason !== undefined) expect(reason).toContain(where.reason)
  expect(remedy).toContain('Nothing was changed')
  expectUnchanged(path, files)
}

/** Opening cuts the last record off, keeps a copy, says so once, and then goes on. */
async function expectCut(bytes: Buffer, kept = saves.slice(0, 3)): Promise<void> {
  const path = directoryWith({ [FIRST]: bytes })
  const { notices, ...restored } = await reopen(open(path))
  expect(entriesOf(restored.batches)).toEqual(logAfter(kept))
  expect([restored.term, restored.vote]).toEqual([kept.at(-1)!.term, kept.at(-1)!.vote])
  expect(notices).toMatchObject([{ source: 'storage', code: 'torn-tail' }])
  expect(notices[0]!.message).toContain(`${FIRST}.broken`)
  expect(readFileSync(join(path, `${FIRST}.broken`))).toEqual(bytes)

  const node = run(open(path))
  node.save$.next(save(1, 4, 'd', batch(logAfter(kept).length + 1, 4, ['next'])))
  await node.acknowledged(1)
  expect(node.notices).toEqual([])
  node.stop()
  const again = await reopen(open(path))
  expect(entriesOf(again.batches).slice(0, -1)).toEqual(logAfter(kept))
  expect(again.notices).toEqual([])
}

let files: Record<string, Buffer>
let whole: Buffer
let offsets: number[]
beforeAll(async () => {
  files = await logOf()
  whole = files[FIRST]!
  offsets = offsetsOf(whole)
  expect([Object.keys(files), offsets.length]).toEqual([[FIRST], saves.length + 1])
})

describe('a torn tail is cut off', { timeout: 60_000 }, () => {
  it('wherever the file ends within the last record [F14]', async () => {
    const [start, end] = offsets.slice(-2) as [number, number]
    for (let at = start + 1; at < end; at++) await expectCut(whole.subarray(0, at))
  })

  it('wherever the zeros of a preallocated segment begin within the last record [F14]', async () => {
    const [start, end] = offsets.slice(-2) as [number, number]
    for (let at = start + 1; at < end; at++) {
      const bytes = Buffer.concat([whole.subarray(0, end), Buffer.alloc(3000)])
      bytes.fill(0, at)
      if (!bytes.subarray(0, end).equals(whole.subarray(0, end))) await expectCut(bytes)
    }
  })

  it('when any one sector of it did not reach the disk [F14]', async () => {
    const texts = ['\0'.repeat(3000), 'x'.repeat(2000)]
    const last = save(5, 3, 'c', batch(7, 3, texts))
    const bytes = (await logOf([...saves, last]))[FIRST]!
    const [start, end] = offsetsOf(bytes).slice(-2) as [number, number]
    let cut = 0
    for (let sector = Math.floor(start / 512) * 512; sector < end; sector += 512) {
      const torn = Buffer.from(bytes)
      torn.fill(0, Math.max(sector, start), Math.min(sector + 512, end))
      if (torn.equals(bytes)) continue
      await expectCut(torn, saves)
      cut++
    }
    expect(cut).toBeGreaterThan(4)
  })

  it('when one of the two sectors that its header touches did not reach the disk [F14]', async () => {
    const tail = save(2, 1, 'a', batch(2, 1, ['tail'.repeat(400)]))
    for (let before = 48; before > 0; before -= 8) {
      // The first record ends so that this much of the second one's header fits into its sector.
      const first = save(1, 1, 'a', batch(1, 1, ['x'.repeat(512 - 48 - 17 - 32 - 4 - 8 - before)]))
      const bytes = (await logOf([first, tail]))[FIRST]!
      const start = offsetsOf(bytes)[1]!
      const seam = SEGMENT_HEADER + 512
      expect(seam - start).toBeGreaterThanOrEqual(before)
      expect(seam - start).toBeLessThan(before + 8)
      await expectCut(Buffer.from(bytes).fill(0, start, seam), [first])
      await expectCut(Buffer.from(bytes).fill(0, seam, seam + 512), [first])
    }
  })

  it('again and again, keeping each copy', async () => {
    const path = directoryWith({ [FIRST]: whole.subarray(0, offsets[4]! - 1) })
    await reopen(open(path))
    writeFileSync(join(path, FIRST), whole.subarray(0, offsets[3]! - 1))
    await reopen(open(path))
    expect(Object.keys(contentOf(path))).toEqual([FIRST, `${FIRST}.2.broken`, `${FIRST}.broken`])
  })

  it('but an end that is only missing its reserve is nothing to speak of', async () => {
    const path = directoryWith({ [FIRST]: Buffer.concat([whole, Buffer.alloc(5000)]) })
    const { batches, notices } = await reopen(open(path))
    expect([entriesOf(batches), notices]).toEqual([logAfter(saves), []])
  })
})

describe('damage is refused', { timeout: 240_000 }, () => {
  it('wherever a bit of a record in the middle is flipped [F15] [bug 33]', async () => {
    for (const i of [0, 1, 2]) {
      for (let at = offsets[i]!; at < offsets[i + 1]!; at++) {
        await expectRefusal({ [FIRST]: flipped(whole, at) }, { file: FIRST, offset: offsets[i]! })
      }
    }
  })

  it('wherever a bit of the last record is flipped, for it may have been promised [F16]', async () => {
    for (let at = offsets[3]!; at < offsets[4]!; at++) {
      await expectRefusal({ [FIRST]: flipped(whole, at) }, { file: FIRST, offset: offsets[3]! })
    }
  })

  it('when a bit flips in a last record that has zeros in it [F16]', async () => {
    const last = save(5, 3, 'c', batch(7, 3, ['\0'.repeat(3000), 'x']))
    const bytes = (await logOf([...saves, last]))[FIRST]!
    const [start, end] = offsetsOf(bytes).slice(-2) as [number, number]
    for (const at of [start + 100, start + 1500, end - 20]) {
      await expectRefusal({ [FIRST]: flipped(bytes, at) }, { file: FIRST, offset: start })
    }
  })

  it('when a record in the middle is zero', async () => {
    const bytes = Buffer.from(whole).fill(0, offsets[1], offsets[2])
    await expectRefusal({ [FIRST]: bytes }, { file: FIRST, offset: offsets[1]! })
  })

  it("anywhere in a segment's header", async () => {
    for (const at of [0, 7, 8, 11, 12, 16, 20, 24, 31, 32, 39, 40, 2000, 4095]) {
      await expectRefusal({ [FIRST]: flipped(whole, at) }, { file: FIRST, offset: 0 })
    }
    await expectRefusal({ [FIRST]: whole.subarray(0, 4000) }, { file: FIRST, offset: 0 })
    await expectRefusal({ [FIRST]: Buffer.alloc(0) }, { file: FIRST, offset: 0 })
  })
})

describe('records that stand in the wrong place are refused [F19]', () => {
  const alike = Array.from({ length: 4 }, (_, i) => save(i + 1, 1, 'a', batch(i + 1, 1, [`${i}`])))

  it('two that changed places', async () => {
    const bytes = (await logOf(alike))[FIRST]!
    const [, a, b, c] = offsetsOf(bytes) as [number, number, number, number]
    expect(c - b).toBe(b - a)
    const swapped = Buffer.from(bytes)
    bytes.copy(swapped, a, b, c)
    bytes.copy(swapped, b, a, b)
    const reason = `written for offset ${b}`
    await expectRefusal({ [FIRST]: swapped }, { file: FIRST, offset: a, reason })
  })

  it('one that stands there twice', async () => {
    const bytes = (await logOf(alike))[FIRST]!
    const [, a, b] = offsetsOf(bytes) as [number, number, number]
    const doubled = Buffer.from(bytes)
    bytes.copy(doubled, b, a, b)
    await expectRefusal({ [FIRST]: doubled }, { file: FIRST, offset: b })
  })

  it('segments that are missing, renamed or of another server', async () => {
    const long = Array.from({ length: 12 }, (_, i) =>
      save(i + 1, 1, 'a', batch(i + 1, 1, ['x'.repeat(3000)])),
    )
    const [mine, other] = [await logOf(long), await logOf(long)]
    const [one, two, three] = [FIRST, SECOND, '00000003.log']
    const take = (all: Record<string, Buffer>, from: string, to = from) => ({ [to]: all[from]! })
    const missing = 'the file is missing'
    await expectRefusal(
      { ...mine, ...take(other, two) },
      { file: two, offset: 0, reason: 'another log' },
    )
    await expectRefusal({ ...mine, ...take(mine, one, two) }, { file: two, reason: 'segment 1' })
    await expectRefusal(take(mine, two), { file: one, reason: missing })
    await expectRefusal(
      { ...take(mine, one), ...take(mine, three) },
      { file: two, reason: missing },
    )
  })

  it('a segment before the last one that ends too early, or in the middle of a record', async () => {
    const long = Array.from({ length: 12 }, (_, i) =>
      save(i + 1, 1, 'a', batch(i + 1, 1, ['x'.repeat(3000)])),
    )
    const all = await logOf(long)
    const bytes = all[FIRST]!
    const start = offsetsOf(bytes).at(-2)!
    const early = { file: FIRST, offset: start, reason: 'missing' }
    await expectRefusal({ ...all, [FIRST]: bytes.subarray(0, start) }, early)
    await expectRefusal({ ...all, [FIRST]: Buffer.from(bytes).fill(0, start) }, early)
    const half = { file: FIRST, offset: start, reason: 'incomplete' }
    await expectRefusal({ ...all, [FIRST]: bytes.subarray(0, start + 600) }, half)
  })
})

describe('a log that could never have been written is refused', () => {
  const logId = 7n
  const written = (...records: [Ballot | undefined, ReturnType<typeof save>][]) => {
    const parts = [encodeHeader({ number: 1, logId, firstSequence: 1 })]
    let offset = SEGMENT_HEADER
    records.forEach(([ballot, it], i) => {
      const bytes = Buffer.alloc(10_000)
      const place = { logId, segment: 1, offset, sequence: i + 1 }
      const length = encodeRecord(bytes, place, ballot, [it])
      parts.push(bytes.subarray(0, length))
      offset += length
    })
    return { [FIRST]: Buffer.concat(parts) }
  }
  const ballot = (term: number, vote?: string): Ballot => ({ term, vote })

  it.each([
    [
      'entries of a term without a ballot [F17]',
      written([undefined, save(1, 1, 'a', batch(1, 1, ['x']))]),
    ],
    ['a gap [F17]', written([ballot(1), save(1, 1, 'a', batch(5, 1, ['x']))])],
    [
      'a term that goes back [bug 7]',
      written([ballot(2), save(1, 2, 'a')], [ballot(1), save(2, 1, 'a')]),
    ],
    [
      'two votes in a term [bug 69]',
      written([ballot(2, 'a'), save(1, 2, 'a')], [ballot(2, 'b'), save(2, 2, 'b')]),
    ],
  ])('%s', async (_what, log) => {
    await expectRefusal(log, { file: FIRST })
  })

  it('two records with the same number', async () => {
    const log = written([ballot(1), save(1, 1, 'a')], [ballot(2), save(2, 2, 'a')])
    const bytes = log[FIRST]
    const [start, next] = offsetsOf(bytes) as [number, number, number]
    const place = { logId, segment: 1, offset: next, sequence: 1 }
    encodeRecord(bytes.subarray(next), place, ballot(2), [save(2, 2, 'a')])
    expect(start).toBe(SEGMENT_HEADER)
    await expectRefusal(log, { file: FIRST, offset: next, reason: 'record 2 is due' })
  })
})

describe('versions', () => {
  it('refuses a format that it does not know, and does not guess [F11]', async () => {
    const newer = Buffer.from(whole)
    newer.writeUInt32LE(4, 12)
    newer.writeUInt32LE(crc32(newer.subarray(12, SEGMENT_HEADER)), 8)
    const path = directoryWith({ [FIRST]: newer })
    const error = await run(open(path)).ended()
    expect(error).toBeInstanceOf(UnknownFormat)
    expect(error).toMatchObject({ file: join(path, FIRST), version: 4, outcome: 'none' })
    expectUnchanged(path, { [FIRST]: newer })
  })

  it('knows its own files after they were moved', async () => {
    const path = directoryWith(files)
    renameSync(path, `${path}-moved`)
    expect(entriesOf((await reopen(open(`${path}-moved`))).batches)).toEqual(logAfter(saves))
    rmSync(`${path}-moved`, { recursive: true })
  })
})
