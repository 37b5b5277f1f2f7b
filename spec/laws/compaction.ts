import fc from 'fast-check'
import { expect, it } from 'vitest'
import { InvariantError } from '../../lib/errors.ts'
import type { DiskRequest, Save } from '../../lib/storage.ts'
import type { Position } from '../../lib/types.ts'
import { chunksOf, mark, someBytes, write } from '../adapters/storage/chunks.ts'
import {
  areConsecutive,
  batch,
  entriesOf,
  reopen,
  run,
  save,
  type Run,
} from '../adapters/storage/run.ts'
import type { Make } from './storage.ts'

/** What every storage owes a log whose beginning a snapshot stands for (§7). */
export function compactionLaws(make: Make): void {
  resetLaws(make)
  forgetLaws(make)
  keepsWhatAModelKeeps(make)
}

const appends = (count: number, term = 1): Save[] =>
  Array.from({ length: count }, (_, i) => save(i + 1, term, 'a', batch(i + 1, term, [`e${i + 1}`])))

const resetting = (it: Save, reset: Position): Save => ({ ...it, reset })

async function saveOne(node: Run, it: Save): Promise<void> {
  const count = node.saved.length
  node.save$.next(it)
  await node.acknowledged(count + 1)
}

/** Saves and snapshots, one after the other. */
async function doAll(make: Make, requests: readonly (Save | Position)[]) {
  const storage = await make()
  const node = run(storage)
  await node.restored()
  for (const it of requests) {
    if ('type' in it) {
      await saveOne(node, it)
    } else {
      await write(node, chunksOf(mark(it.index, it.term), someBytes(100, it.index)))
    }
  }
  return { storage, node }
}

function resetLaws(make: Make): void {
  it('goes on behind a snapshot that replaces the log [bug 12] [bug 27]', async () => {
    const { storage, node } = await doAll(make, [
      ...appends(5),
      { index: 20, term: 3 },
      resetting(save(6, 3, 'b'), { index: 20, term: 3 }),
      save(7, 3, 'b', batch(21, 3, ['x', 'y'])),
    ])
    node.stop()
    const { term, vote, snapshot, batches } = await reopen(storage)
    expect([term, vote, snapshot]).toEqual([3, 'b', mark(20, 3)])
    expect(entriesOf(batches)).toEqual(['21@3 command x', '22@3 command y'])
  })

  it('forgets a longer log that contradicts the snapshot, with new entries in the same save', async () => {
    const { storage, node } = await doAll(make, [
      ...appends(30),
      { index: 20, term: 2 },
      resetting(save(31, 3, undefined, batch(21, 2, ['x'])), { index: 20, term: 2 }),
    ])
    node.stop()
    expect(entriesOf((await reopen(storage)).batches)).toEqual(['21@2 command x'])
  })

  it('restores an empty log behind a snapshot', async () => {
    const reset = { index: 20, term: 2 }
    const { storage, node } = await doAll(make, [
      ...appends(3),
      reset,
      resetting(save(4, 2, undefined), reset),
    ])
    node.stop()
    expect(await reopen(storage)).toMatchObject({ term: 2, batches: [], snapshot: mark(20, 2) })
    const again = run(storage)
    again.save$.next(save(1, 2, 'c', batch(21, 2, ['x'])))
    await again.acknowledged(1)
    again.stop()
    expect(entriesOf((await reopen(storage)).batches)).toEqual(['21@2 command x'])
  })

  it('takes the same reset again after a restart, and no reset when it has the snapshot only', async () => {
    const reset = { index: 20, term: 2 }
    const { storage, node } = await doAll(make, [...appends(3), reset])
    node.stop()
    // The crash came between the snapshot and the save: both are there.
    const both = await reopen(storage)
    expect([both.snapshot, both.batches.length]).toEqual([mark(20, 2), 3])
    for (const sequence of [1, 1]) {
      const again = run(storage)
      again.save$.next(resetting(save(sequence, 2, undefined), reset))
      await again.acknowledged(1)
      again.stop()
    }
    expect((await reopen(storage)).batches).toEqual([])
  })

  it('puts a burst of saves with resets among them in order', async () => {
    const { storage, node } = await doAll(make, [{ index: 20, term: 2 }])
    const saves = [
      save(1, 2, 'a', batch(1, 1, ['old'])),
      resetting(save(2, 2, 'a', batch(11, 2, ['x'])), { index: 10, term: 2 }),
      save(3, 2, 'a', batch(12, 2, ['y'])),
      resetting(save(4, 2, 'a', batch(21, 2, ['z'])), { index: 20, term: 2 }),
      save(5, 2, 'a', batch(22, 2, ['zz'])),
    ]
    for (const it of saves) node.save$.next(it)
    await node.acknowledged(5)
    node.stop()
    const found = entriesOf((await reopen(storage)).batches)
    expect(found).toEqual(['21@2 command z', '22@2 command zz'])
  })

  it.each<[string, DiskRequest]>([
    ['a reset without a snapshot', resetting(save(4, 2, 'a'), { index: 21, term: 2 })],
    ['a reset in another term', resetting(save(4, 3, 'a'), { index: 20, term: 3 })],
    ['a reset of a term without a ballot', resetting(save(4, 1, 'a'), { index: 9, term: 2 })],
    [
      'a gap behind a reset',
      resetting(save(4, 2, 'a', batch(22, 2, ['x'])), { index: 20, term: 2 }),
    ],
    [
      'a term that falls behind a reset',
      resetting(save(4, 2, 'a', batch(21, 1, ['x'])), { index: 20, term: 2 }),
    ],
    ['to forget what no snapshot stands for', { type: 'forget', before: 22 }],
  ])('refuses %s', async (_what, wrong) => {
    const { storage, node } = await doAll(make, [...appends(3), { index: 20, term: 2 }])
    node.save$.next(wrong)
    expect(await node.ended()).toBeInstanceOf(InvariantError)
    const { batches, snapshot } = await reopen(storage)
    expect([entriesOf(batches), snapshot]).toEqual([
      ['1@1 command e1', '2@1 command e2', '3@1 command e3'],
      mark(20, 2),
    ])
  })
}

function forgetLaws(make: Make): void {
  it('forgets no entry that is still needed, and neither term nor vote', async () => {
    const { storage, node } = await doAll(make, [...appends(60), { index: 40, term: 1 }])
    node.save$.next({ type: 'forget', before: 31 })
    node.save$.next(save(61, 7, 'b'))
    await node.acknowledged(61)
    node.stop()
    const { term, vote, batches, snapshot } = await reopen(storage)
    expect([term, vote, snapshot]).toEqual([7, 'b', mark(40, 1)])
    expect(batches[0]!.index).toBeLessThanOrEqual(31)
    expect(entriesOf(batches).slice(-30)).toEqual(
      Array.from({ length: 30 }, (_, i) => `${i + 31}@1 command e${i + 31}`),
    )
  })

  it('goes on behind a log of which everything is forgotten', async () => {
    const { storage, node } = await doAll(make, [...appends(60), { index: 60, term: 1 }])
    node.save$.next({ type: 'forget', before: 61 })
    node.save$.next(save(61, 2, 'b'))
    await node.acknowledged(61)
    node.stop()
    await reopen(storage)
    const again = run(storage)
    again.save$.next(save(1, 2, 'b', batch(61, 2, ['next'])))
    await again.acknowledged(1)
    again.stop()
    const found = entriesOf((await reopen(storage)).batches)
    expect(found.at(-1)).toBe('61@2 command next')
  })

  it('refuses to forget without any snapshot', async () => {
    const { node } = await doAll(make, appends(3))
    node.save$.next({ type: 'forget', before: 2 })
    expect(await node.ended()).toBeInstanceOf(InvariantError)
  })
}

/** One thing that a node may do, relative to what is there. */
const deed = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('append' as const), size: fc.nat(4000) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('replace' as const), back: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('snapshot' as const), back: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('refused' as const), ahead: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('forget' as const), back: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('install' as const), ahead: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const) }) },
)

/** A log as a plain array, of which the first entry stands behind `base`. */
class Model {
  term = 1
  base = 0
  entries: { term: number; text: string }[] = []
  snapshot: Position = { index: 0, term: 0 }
  /** No entry before it needs to be there. */
  needed = 1

  get last(): number {
    return this.base + this.entries.length
  }

  termAt = (index: number): number => this.entries[index - this.base - 1]?.term ?? this.term

  shown = (from: number): string[] =>
    this.entries
      .map(({ term, text }, i) => `${this.base + i + 1}@${term} command ${text}`)
      .slice(Math.max(0, from - this.base - 1))
}

function keepsWhatAModelKeeps(make: Make): void {
  it(
    'restores what a plain array would hold, whatever is snapshot, reset and forgotten between',
    () =>
      fc.assert(
        fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 30 }), async (deeds) => {
          const storage = await make()
          const model = new Model()
          let node = run(storage)
          await node.restored()
          let sequence = 0
          const take = async (position: Position): Promise<void> => {
            const bytes = someBytes(300, position.index)
            await write(node, chunksOf(mark(position.index, position.term), bytes, [90]))
            model.snapshot = position
          }
          const append = async (text: string, reset?: Position): Promise<void> => {
            const it = save(++sequence, model.term, 'a', batch(model.last + 1, model.term, [text]))
            await saveOne(node, reset === undefined ? it : { ...it, reset })
            model.entries.push({ term: model.term, text })
          }
          for (const it of deeds) {
            switch (it.type) {
              case 'append':
                await append(`${sequence}`.repeat(it.size))
                break
              case 'replace': {
                const kept = Math.max(model.snapshot.index, model.base, model.last - it.back)
                model.entries.length = Math.min(model.entries.length, kept - model.base)
                model.term++
                await append('replaced')
                break
              }
              case 'snapshot': {
                const index = model.last - it.back
                if (index <= model.snapshot.index || index <= model.base) break
                await take({ index, term: model.termAt(index) })
                break
              }
              case 'refused': {
                const { index } = model.snapshot
                const wrong = chunksOf(mark(index + it.ahead + 1, 9), someBytes(30), [20], 7)
                expect(await write(node, wrong)).toMatchObject({ type: 'chunkRefused' })
                break
              }
              case 'forget': {
                const before = Math.max(1, model.snapshot.index + 1 - it.back)
                node.save$.next({ type: 'forget', before })
                model.needed = Math.max(model.needed, before)
                break
              }
              case 'install': {
                const index = Math.max(model.last, model.snapshot.index) + it.ahead + 1
                model.term++
                const reset = { index, term: model.term }
                // The term is known to the disk before the snapshot of a leader in it.
                await saveOne(node, save(++sequence, model.term, 'a'))
                await take(reset)
                model.base = index
                model.entries = []
                model.needed = index + 1
                await append('behind', reset)
                break
              }
              case 'restart':
                node.stop()
                node = run(storage)
                sequence = 0
                await node.restored()
                break
            }
          }
          node.stop()
          const { term, batches, snapshot } = await reopen(storage)
          const first = batches[0]?.index ?? model.last + 1
          expect(areConsecutive(batches, first)).toBe(true)
          expect(first).toBeLessThanOrEqual(Math.max(model.needed, model.base + 1))
          expect(first).toBeLessThanOrEqual(model.snapshot.index + 1)
          expect(entriesOf(batches)).toEqual(model.shown(first))
          if (sequence > 0) expect(term).toBe(model.term)
          const { index, term: its } = model.snapshot
          expect(snapshot).toEqual(index === 0 ? undefined : mark(index, its))
        }),
        { numRuns: 15 },
      ),
    60_000,
  )
}
