import fc from 'fast-check'
import { of, Subject, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { pack, type Batch } from '../../lib/batch.ts'
import { InvariantError } from '../../lib/errors.ts'
import type { Save } from '../../lib/storage.ts'
import type { Storage } from '../../operators/adapters.ts'
import {
  areConsecutive,
  batch,
  entriesOf,
  logAfter,
  reopen,
  run,
  save,
  saveAll,
} from '../adapters/storage/run.ts'
import { compactionLaws } from './compaction.ts'
import { snapshotLaws } from './snapshots.ts'

/**
 * What every storage owes the engine. `make` gives a storage on an empty disk of its own; each
 * subscription of it is a start of the node on that disk.
 */
export function storageLaws(name: string, make: Make): void {
  describe(`${name} keeps the laws of a storage`, () => {
    talkLaws(make)
    logLaws(make)
    ballotLaws(make)
    lifeLaws(make)
    keepsWhatAModelKeeps(make)
    snapshotLaws(make)
    compactionLaws(make)
  })
}

export type Make = () => Storage | Promise<Storage>

const appends = (count: number, from = 1): Save[] =>
  Array.from({ length: count }, (_, i) =>
    save(i + 1, 1, 'a', batch(from + i, 1, [`command ${from + i}`])),
  )

function talkLaws(make: Make): void {
  it('restores nothing from an empty disk, before anything else', async () => {
    const node = run(await make())
    await node.restored()
    expect(node.said).toEqual([{ type: 'restored', term: 0, vote: undefined, batches: [] }])
    node.stop()
  })

  it('acknowledges each save once, in order, with its sequence and term [bug 15]', async () => {
    const node = run(await make())
    await node.restored()
    node.save$.next(save(1, 1, 'a', batch(1, 1, ['x'])))
    node.save$.next(save(2, 2, undefined))
    node.save$.next(save(3, 2, 'b', batch(1, 2, ['y', 'z'])))
    await node.acknowledged(3)
    expect(node.said.slice(1)).toEqual([
      { type: 'saved', sequence: 1, term: 1 },
      { type: 'saved', sequence: 2, term: 2 },
      { type: 'saved', sequence: 3, term: 2 },
    ])
    node.stop()
  })

  it('loses no save that comes before it has restored', async () => {
    const storage = await make()
    const node = run(storage, appends(3))
    await node.acknowledged(3)
    expect(node.said.map((it) => it.type)).toEqual(['restored', 'saved', 'saved', 'saved'])
    node.stop()
    expect(entriesOf((await reopen(storage)).batches)).toEqual(logAfter(appends(3)))
  })

  it('acknowledges a burst one by one', async () => {
    const storage = await make()
    const saves = appends(2000)
    const node = run(storage)
    await node.restored()
    for (const it of saves) node.save$.next(it)
    await node.acknowledged(saves.length)
    expect(node.saved.map((it) => it.sequence)).toEqual(saves.map((it) => it.sequence))
    node.stop()
    expect(entriesOf((await reopen(storage)).batches)).toEqual(logAfter(saves))
  })

  it('takes a save from within the acknowledgement of another', async () => {
    const saves = appends(50)
    const save$ = new Subject<Save>()
    const sequences: number[] = []
    await new Promise<void>((resolve, reject) => {
      void Promise.resolve(make()).then((storage) =>
        storage(save$).subscribe({
          next: (event) => {
            if (event.type === 'saved') sequences.push(event.sequence)
            const next = saves[sequences.length]
            if (next === undefined) save$.complete()
            else save$.next(next)
          },
          error: reject,
          complete: resolve,
        }),
      )
    })
    expect(sequences).toEqual(saves.map((it) => it.sequence))
  })
}

function logLaws(make: Make): void {
  const restoresWhatWasSaved = async (saves: Save[]): Promise<void> => {
    const storage = await make()
    await saveAll(storage, saves)
    const { batches } = await reopen(storage)
    expect(entriesOf(batches)).toEqual(logAfter(saves))
    expect(areConsecutive(batches)).toBe(true)
  }

  it('restores commands and noops of any length', () =>
    restoresWhatWasSaved([
      save(1, 1, 'a', batch(1, 1, [''], 'noop')),
      save(2, 1, 'a', batch(2, 1, ['', 'x', '', 'y'.repeat(200_000)]), batch(6, 1, ['z'])),
    ]))

  it('restores entries of every kind, those without payloads of any number', () =>
    restoresWhatWasSaved([
      save(1, 1, 'a', batch(1, 1, ['x'], 'request'), batch(2, 1, ['y'], 'command')),
      save(2, 1, 'a', batch(3, 1, new Array<string>(5_000).fill(''), 'withheld')),
      save(3, 1, 'a', batch(5_003, 1, [''], 'withheld'), batch(5_004, 1, ['{}'], 'members')),
    ]))

  it('restores a batch with the bytes that it had', async () => {
    const storage = await make()
    const bytes = pack([Uint8Array.from({ length: 256 }, (_, i) => i), new Uint8Array(2000)])
    const it: Batch = { index: 1, term: 7, kind: 'command', count: 2, bytes }
    await saveAll(storage, [save(1, 7, 'a', it)])
    const [restored] = (await reopen(storage)).batches
    expect({ ...restored, bytes: [...restored!.bytes] }).toEqual({ ...it, bytes: [...bytes] })
  })

  it('keeps what it has over several starts', async () => {
    const storage = await make()
    for (const round of [0, 1, 2]) await saveAll(storage, appends(5, 1 + 5 * round))
    expect(entriesOf((await reopen(storage)).batches)).toEqual(logAfter(appends(15)))
  })

  const four = batch(1, 1, ['a', 'b', 'c', 'd'])
  it.each([
    ['from its beginning', [batch(1, 2, ['x'])]],
    ['in its middle', [batch(3, 2, ['x'])]],
    ['at its last entry', [batch(4, 2, ['x', 'y'])]],
    ['across batches', [batch(5, 1, ['e', 'f']), batch(7, 1, ['g']), batch(2, 2, ['x', 'y'])]],
    ['again and again', [batch(3, 2, ['x', 'y', 'z']), batch(4, 3, ['p']), batch(5, 3, ['q'])]],
  ])('replaces what a batch overlaps %s [bug 12]', async (_where, batches) => {
    await restoresWhatWasSaved([save(1, 3, 'a', four, ...batches)])
    await restoresWhatWasSaved([
      save(1, 3, 'a', four),
      ...batches.map((it, i) => save(i + 2, 3, 'a', it)),
    ])
  })

  it.each([
    ['a gap', save(2, 1, 'a', batch(3, 1, ['x']))],
    ['a term that falls', save(2, 2, 'a', batch(2, 2, ['x']), batch(3, 1, ['y']))],
    ['entries of a term that has no ballot', save(2, 1, 'a', batch(2, 2, ['x']))],
  ])('refuses %s [bug 17]', async (_what, wrong) => {
    const storage = await make()
    const node = run(storage, [save(1, 1, 'a', batch(1, 1, ['first']))])
    await node.acknowledged(1)
    node.save$.next(wrong)
    expect(await node.ended()).toBeInstanceOf(InvariantError)
    expect(entriesOf((await reopen(storage)).batches)).toEqual(['1@1 command first'])
  })
}

function ballotLaws(make: Make): void {
  it('keeps term and vote, also without entries [bug 7]', async () => {
    const storage = await make()
    await saveAll(storage, [save(1, 4, undefined), save(2, 4, 'n-ä')])
    expect(await reopen(storage)).toMatchObject({ term: 4, vote: 'n-ä' })
    await saveAll(storage, [save(1, 5, undefined)])
    expect(await reopen(storage)).toMatchObject({ term: 5, vote: undefined })
  })

  it('keeps the ballot that came with entries [bug 4]', async () => {
    const storage = await make()
    await saveAll(storage, [save(1, 3, 'b', batch(1, 2, ['x']))])
    const { term, vote, batches } = await reopen(storage)
    expect([term, vote, ...entriesOf(batches)]).toEqual([3, 'b', '1@2 command x'])
  })

  it.each([
    ['goes back', save(2, 4, 'b'), 'term went back'],
    ['is voted in twice', save(2, 5, 'b'), 'vote in term 5'],
    ['forgets its vote', save(2, 5, undefined), 'vote in term 5'],
  ])('refuses a term that %s [bug 69]', async (_how, wrong, said) => {
    const storage = await make()
    const node = run(storage, [save(1, 5, 'a')])
    await node.acknowledged(1)
    node.save$.next(wrong)
    expect(await node.ended()).toMatchObject({
      code: 'invariant',
      message: expect.stringContaining(said) as string,
    })
    expect(await reopen(storage)).toMatchObject({ term: 5, vote: 'a' })
  })
}

function lifeLaws(make: Make): void {
  it('completes after the last acknowledgement when its source completes', async () => {
    const node = run(await make(), appends(20))
    node.save$.complete()
    expect(await node.ended()).toBeUndefined()
    expect(node.saved).toHaveLength(20)
  })

  it('completes when its source is over before it begins', async () => {
    const storage = await make()
    const types: string[] = []
    await storage(of(...appends(2))).forEach((it) => void types.push(it.type))
    expect(types).toEqual(['restored', 'saved', 'saved'])
  })

  it("passes its source's error on", async () => {
    const storage = await make()
    await expect(storage(throwError(() => new Error('mine'))).forEach(() => {})).rejects.toThrow(
      'mine',
    )
    expect((await reopen(storage)).batches).toEqual([])
  })

  it('says nothing after it is unsubscribed, and can be subscribed again at once', async () => {
    const storage = await make()
    const first = run(storage)
    await first.restored()
    for (const it of appends(10)) first.save$.next(it)
    first.stop()
    const said = first.said.length
    const second = run(storage)
    const found = entriesOf((await second.restored()).batches)
    expect(found).toEqual(logAfter(appends(10)).slice(0, found.length))
    expect(first.said).toHaveLength(said)
    second.stop()
  })

  it('can be unsubscribed from within an acknowledgement', async () => {
    const storage = await make()
    const sequences: number[] = []
    const save$ = new Subject<Save>()
    await new Promise<void>((resolve) => {
      const subscription = storage(save$).subscribe((event) => {
        if (event.type !== 'saved') return
        sequences.push(event.sequence)
        subscription.unsubscribe()
        resolve()
      })
      for (const it of appends(10)) save$.next(it)
    })
    await reopen(storage)
    expect(sequences).toEqual([1])
  })

  it('leaves nothing open', async () => {
    const before = process.getActiveResourcesInfo()
    const storage = await make()
    await saveAll(storage, appends(10))
    run(storage).stop()
    const isClosed = (): boolean => {
      const open = process.getActiveResourcesInfo()
      for (const it of before) if (open.includes(it)) open.splice(open.indexOf(it), 1)
      return open.every((it) => it === 'Immediate')
    }
    const deadline = performance.now() + 10_000
    while (!isClosed() && performance.now() < deadline) await new Promise(setImmediate)
    expect(isClosed()).toBe(true)
  })
}

/** One thing that a node may do to its disk, relative to what is there. */
const deed = fc.record({
  raise: fc.boolean(),
  vote: fc.constantFrom(undefined, 'a', 'b'),
  back: fc.nat({ max: 4 }),
  sizes: fc.array(fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 4 }), { maxLength: 3 }),
})

/** Saves that a correct node could make of such deeds. */
function savesOf(
  deeds: readonly (typeof deed extends fc.Arbitrary<infer D> ? D : never)[],
): Save[] {
  let term = 1
  let vote: string | undefined
  let last = 0
  return deeds.map(({ raise, back, sizes, ...wish }, i) => {
    if (raise) term++
    vote = raise ? wish.vote : (vote ?? wish.vote)
    if (raise && sizes.length > 0) last = Math.max(0, last - back)
    const batches = sizes.map((texts) => {
      const it = batch(
        last + 1,
        term,
        texts.map((size) => `${i}`.repeat(size)),
      )
      last += it.count
      return it
    })
    return save(i + 1, term, vote, ...batches)
  })
}

/** Arbitrary saves of a correct node, in order. */
export const someSaves = (maxLength = 30): fc.Arbitrary<Save[]> =>
  fc.array(deed, { minLength: 1, maxLength }).map(savesOf)

function keepsWhatAModelKeeps(make: Make): void {
  it('restores what a plain array would hold, wherever the node is restarted', () =>
    fc.assert(
      fc.asyncProperty(someSaves(), fc.nat(), async (saves, cut) => {
        const storage = await make()
        const restart = cut % saves.length
        await saveAll(storage, saves.slice(0, restart))
        await saveAll(storage, saves.slice(restart))
        const { term, vote, batches } = await reopen(storage)
        const { term: lastTerm, vote: lastVote } = saves.at(-1)!
        expect([term, vote, entriesOf(batches)]).toEqual([lastTerm, lastVote, logAfter(saves)])
      }),
      { numRuns: 40 },
    ))
}
