import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { file } from '../../../adapters/storage/file.ts'
import { fileStorage } from '../../../adapters/storage/file/storage.ts'
import type { Save } from '../../../lib/storage.ts'
import { someSaves } from '../../laws/storage.ts'
import { temporaryDirectories } from './directories.ts'
import { faulty, type Fate, type Range } from './faulty.ts'
import { batch, entriesOf, logAfter, reopen, run, save } from './run.ts'

const directory = temporaryDirectories()
const SEGMENT = 16 << 10

/**
 * A machine that dies at its `nth` change of the disk, as `last` says, and does nothing afterwards. Returns
 * how many saves it acknowledged, or `undefined` when it got through.
 */
async function dieAt(
  path: string,
  nth: number,
  last: (length: number) => Fate,
  saves: readonly Save[],
  burst: number,
): Promise<{ acknowledged: number; died: boolean }> {
  const files = faulty((_change, count, length) => {
    if (count < nth) return 'works'
    return count === nth ? last(length) : 'fails'
  })
  const node = run(fileStorage(files, path, SEGMENT))
  const end = node.ended().then(() => true)
  const work = async (): Promise<boolean> => {
    await node.restored()
    for (let i = 0; i < saves.length; i += burst) {
      for (const it of saves.slice(i, i + burst)) node.save$.next(it)
      await node.acknowledged(Math.min(saves.length, i + burst))
    }
    return false
  }
  const died = await Promise.race([end, work().catch(() => true)])
  node.stop()
  return { acknowledged: node.saved.length, died }
}

/** What a node would find, in one comparable value. */
const stateAfter = (saves: readonly Save[]) => {
  const { term = 0, vote } = saves.at(-1) ?? {}
  return JSON.stringify([term, vote ?? null, logAfter(saves)])
}

/** Opens the directory and returns how many of the saves are there; fails when it is no such number. */
async function survivors(path: string, saves: readonly Save[], least: number): Promise<number> {
  const { term, vote, batches } = await reopen(file(path, { segmentSize: SEGMENT }))
  const found = JSON.stringify([term, vote ?? null, entriesOf(batches)])
  const prefixes = saves.map((_, i) => i + 1).concat(0)
  const matching = prefixes.filter((count) => stateAfter(saves.slice(0, count)) === found)
  expect(matching, found).not.toEqual([])
  expect(Math.max(...matching)).toBeGreaterThanOrEqual(least)
  return Math.max(...matching)
}

describe('a crash', { timeout: 120_000 }, () => {
  it('at any step of the way loses nothing that was acknowledged [F7] [bug 4]', async () => {
    const saves = Array.from({ length: 12 }, (_, i) =>
      save(i + 1, i + 1, 'abc'[i % 3], batch(i + 1, i + 1, [`${i % 10}`.repeat(3000)])),
    )
    const fates: ((length: number) => Fate)[] = [
      () => 'fails',
      (length) => (length > 0 ? { writes: [[0, Math.floor(length / 2)]] } : 'fails after'),
      () => 'fails after',
    ]
    let deaths = 0
    for (const fate of fates) {
      for (let nth = 1; ; nth++) {
        const path = directory()
        const { acknowledged, died } = await dieAt(path, nth, fate, saves, 1)
        await survivors(path, saves, acknowledged)
        if (!died) break
        deaths++
      }
    }
    expect(deaths).toBeGreaterThan(3 * 30)
  })

  it('in a write leaves a prefix with all that was acknowledged, any sectors of it lost [bug 34]', () =>
    fc.assert(
      fc.asyncProperty(
        someSaves(12),
        fc.array(
          fc.record({
            nth: fc.integer({ min: 1, max: 25 }),
            tear: someTear(),
            burst: fc.integer({ min: 1, max: 5 }),
          }),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
        async (saves, crashes) => {
          const path = directory()
          let kept = 0
          for (const { nth, tear, burst } of crashes) {
            const rest = saves.slice(kept).map((it, i) => ({ ...it, sequence: i + 1 }))
            const { acknowledged } = await dieAt(path, nth, tear, rest, burst)
            kept = await survivors(path, saves, kept + acknowledged)
          }
        },
      ),
      { numRuns: 150 },
    ))
})

/** A write of which some bytes from the start, or some sectors, reach the disk. */
function someTear(): fc.Arbitrary<(length: number) => Fate> {
  const prefix = fc.double({ min: 0, max: 1, noNaN: true }).map((part) => (length: number) => {
    return { writes: [[0, Math.floor(length * part)]] satisfies Range[] }
  })
  const sectors = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }).map((kept) => {
    return (length: number): Fate => {
      const count = Math.ceil(length / 512)
      const ranges = Array.from({ length: count }, (_, i): Range => [
        i * 512,
        Math.min(length, (i + 1) * 512),
      ])
      return { writes: ranges.filter((_, i) => kept[i % kept.length]) }
    }
  })
  return fc.oneof(prefix, sectors)
}
