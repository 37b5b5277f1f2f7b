import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPacked, type Batch } from '../../lib/batch.ts'
import { InvariantError } from '../../lib/errors.ts'
import {
  append,
  bytesAfter,
  compact,
  emptyLog,
  indexBefore,
  lastIndexWithin,
  read,
  termAt,
  truncate,
  type Log,
} from '../../lib/log.ts'
import type { Position } from '../../lib/types.ts'
import { batchOf, entriesIn, entriesOf, logOf, type Entry } from './bench/entries.ts'

const texts = (count: number, salt: string) =>
  Array.from({ length: count }, (_, i) => `${salt}.${i}`)
const logFrom = (...batches: readonly Batch[]): Log => append(emptyLog(), batches)

/** What may happen to one of the windows that are alive; numbers are taken modulo what there is. */
type Change =
  | {
      readonly type: 'append'
      readonly window: number
      readonly counts: readonly number[]
      readonly newTerm: boolean
    }
  | { readonly type: 'truncate'; readonly window: number; readonly at: number }

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    type: fc.constant('append' as const),
    window: fc.nat(),
    counts: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
    newTerm: fc.boolean(),
  }),
  fc.record({ type: fc.constant('truncate' as const), window: fc.nat(), at: fc.nat() }),
)

interface Window {
  readonly log: Log
  /** The naive model: an array of entries. */
  readonly model: readonly Entry[]
}

let salt = 0

function changed({ log, model }: Window, step: Change): Window {
  if (step.type === 'truncate') {
    const lastIndex = step.at % (model.length + 1)
    return { log: truncate(log, lastIndex), model: model.slice(0, lastIndex) }
  }
  const term = log.lastTerm + (step.newTerm || log.lastTerm === 0 ? 1 : 0)
  let index = log.lastIndex + 1
  const batches = step.counts.map((count) => {
    const batch = batchOf(index, term, texts(count, `${++salt}`))
    index += count
    return batch
  })
  return { log: append(log, batches), model: [...model, ...entriesOf(batches)] }
}

function expectSame({ log, model }: Window): void {
  expect(log.lastIndex).toBe(model.length)
  expect(log.lastTerm).toBe(model.at(-1)?.term ?? 0)
  expect(entriesIn(log)).toEqual(model)
}

const grown = (changes: readonly Change[]): readonly Window[] =>
  changes.reduce<readonly Window[]>(
    (windows, step) => [...windows, changed(windows[step.window % windows.length]!, step)],
    [{ log: emptyLog(), model: [] }],
  )

const windows = fc.array(change, { maxLength: 30 }).map(grown)
const oneWindow = windows.map((all) => all.at(-1)!)

describe('windows on a log', () => {
  it('no window ever changes, whatever is appended to or cut off any other', () => {
    fc.assert(
      fc.property(windows, (all) => all.forEach(expectSame)),
      { numRuns: 300 },
    )
  })

  it('appending to the newest window copies nothing; appending behind an older one leaves the newer alone', () => {
    const old = logFrom(...logOf([1, 1]))
    const newest = append(old, logOf([1], 3))
    expect(newest.cells).toBe(old.cells)
    const other = append(old, logOf([2], 3))
    expect(other.cells).not.toBe(old.cells)
    expect(entriesIn(newest).map(({ term }) => term)).toEqual([1, 1, 1])
    expect(entriesIn(other).map(({ term }) => term)).toEqual([1, 1, 2])
    expect(entriesIn(old).map(({ term }) => term)).toEqual([1, 1])
  })

  it('cutting at the end of a batch copies nothing, and an append afterwards does not write into what was cut', () => {
    const long = logFrom(...logOf([1, 1, 1]))
    const short = truncate(long, 2)
    expect(short.cells).toBe(long.cells)
    append(short, logOf([5], 3))
    expect(entriesIn(long).map(({ term }) => term)).toEqual([1, 1, 1])
  })

  it('cutting inside a batch keeps its first entries', () => {
    const log = logFrom(batchOf(1, 1, ['a', 'b']), batchOf(3, 1, ['c', 'd', 'e']))
    expect(entriesIn(truncate(log, 4)).map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd'])
    expect(entriesIn(truncate(log, 0))).toEqual([])
    expect(truncate(log, 5)).toBe(log)
    expect(truncate(log, 9)).toBe(log)
  })

  it.each([
    ['a gap', 4, 2],
    ['an overlap', 2, 2],
    ['a term that falls', 3, 1],
  ])('an append with %s is an InvariantError, and the log stays what it was', (_, index, term) => {
    const log = logFrom(...logOf([2, 2]))
    expect(() => append(log, [batchOf(index, term, ['x'])])).toThrow(InvariantError)
    expect(entriesIn(log)).toHaveLength(2)
    expect(entriesIn(append(log, logOf([2], 3)))).toHaveLength(3)
  })

  it('a second batch that does not fit leaves no trace of the first', () => {
    const log = logFrom(...logOf([2]))
    expect(() => append(log, [...logOf([2], 2), ...logOf([2], 4)])).toThrow(InvariantError)
    expect(entriesIn(append(log, logOf([3], 2))).map(({ term }) => term)).toEqual([2, 3])
  })
})

describe('questions about a log', () => {
  it('termAt is the term of the entry, 0 for index 0 and nothing after the last entry', () => {
    fc.assert(
      fc.property(oneWindow, ({ log, model }) => {
        expect(termAt(log, 0)).toBe(0)
        model.forEach(({ index, term }) => expect(termAt(log, index)).toBe(term))
        expect(termAt(log, model.length + 1)).toBeUndefined()
        expect(termAt(log, -1)).toBeUndefined()
      }),
    )
  })

  it('read gives the entries asked for, in whole and sound batches, never more than the log has [bug 30]', () => {
    fc.assert(
      fc.property(oneWindow, fc.nat(40), fc.nat(40), ({ log, model }, a, b) => {
        const [from, to] = [a + 1, b]
        const batches = read(log, from, to)
        expect(entriesOf(batches)).toEqual(model.slice(from - 1, Math.max(to, from - 1)))
        for (const { bytes, count } of batches) expect(isPacked(bytes, count)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('read keeps to a limit in bytes without leaving a gap, and gives at least one batch [bug 30]', () => {
    fc.assert(
      fc.property(oneWindow, fc.nat(40), fc.nat(100), ({ log, model }, a, limit) => {
        const from = a + 1
        const batches = read(log, from, Infinity, limit)
        const entries = entriesOf(batches)
        expect(entries).toEqual(model.slice(from - 1, from - 1 + entries.length))
        expect(batches.length > 0).toBe(from <= model.length)
        const size = batches.reduce((sum, { bytes }) => sum + bytes.length, 0)
        if (batches.length > 1) expect(size).toBeLessThanOrEqual(limit)
      }),
      { numRuns: 500 },
    )
  })

  it('lastIndexWithin is the last index, not after the given one, whose term is not later', () => {
    fc.assert(
      fc.property(oneWindow, fc.nat(60), fc.nat(15), ({ log, model }, index, term) => {
        const naive = model.filter((entry) => entry.index <= index && entry.term <= term)
        expect(lastIndexWithin(log, index, term)).toBe(naive.at(-1)?.index ?? 0)
      }),
      { numRuns: 500 },
    )
  })

  it('bytesAfter counts the batches that reach behind an index, whatever happened to other windows [bug 52]', () => {
    fc.assert(
      fc.property(windows, fc.nat(40), (all, index) => {
        for (const { log } of all) {
          const naive = log.cells
            .slice(0, log.length)
            .filter((batch) => batch.index + batch.count - 1 > index)
            .reduce((sum, { bytes }) => sum + bytes.length, 0)
          expect(bytesAfter(log, index)).toBe(naive)
        }
      }),
    )
  })
})

/** The naive model of a log that is cut off at its beginning, too: nothing but the entries and what was before them. */
interface Cut {
  readonly log: Log
  readonly base: Position
  readonly model: readonly Entry[]
}

const cutStep = fc.record({
  type: fc.constantFrom('append', 'append', 'truncate', 'compact', 'renew'),
  window: fc.nat(),
  counts: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
  newTerm: fc.boolean(),
  at: fc.nat(),
})
type CutStep = typeof cutStep extends fc.Arbitrary<infer T> ? T : never

/** Somewhere from the base to the last entry. */
const within = ({ base, model }: Cut, at: number): number => base.index + (at % (model.length + 1))

function shortened(cut: Cut, index: number): Cut {
  const log = compact(cut.log, index)
  const gone = cut.model.filter((entry) => entry.index <= log.base.index)
  const { index: last, term } = gone.at(-1) ?? cut.base
  return { log, base: { index: last, term }, model: cut.model.slice(gone.length) }
}

function cutFrom(cut: Cut, step: CutStep): Cut {
  const { log, base, model } = cut
  const index = within(cut, step.at)
  if (step.type === 'compact') return shortened(cut, index)
  if (step.type === 'renew') {
    const position = { index: index + 3, term: log.lastTerm + 1 }
    return { log: emptyLog(position), base: position, model: [] }
  }
  if (step.type === 'truncate') {
    return { log: truncate(log, index), base, model: model.filter((it) => it.index <= index) }
  }
  const appended = changed({ log, model }, { ...step, type: 'append' })
  return { ...appended, base }
}

const cuts = fc
  .array(cutStep, { maxLength: 40 })
  .map((steps) =>
    steps.reduce<readonly Cut[]>(
      (all, step) => [...all, cutFrom(all[step.window % all.length]!, step)],
      [{ log: emptyLog(), base: { index: 0, term: 0 }, model: [] }],
    ),
  )
const oneCut = cuts.map((all) => all.at(-1)!)

const batchesIn = ({ log }: Cut): readonly Batch[] => log.cells.slice(0, log.length)
const sizeOf = (batches: readonly Batch[]): number =>
  batches.reduce((sum, { bytes }) => sum + bytes.length, 0)

describe('a log that begins behind a snapshot', () => {
  it('no window ever changes, whatever is appended to, cut off or compacted in any other', () => {
    fc.assert(
      fc.property(cuts, (all) => {
        for (const { log, base, model } of all) {
          expect(log.base).toEqual(base)
          expect(entriesIn(log)).toEqual(model)
          expect(log.lastIndex).toBe(base.index + model.length)
          expect(log.lastTerm).toBe(model.at(-1)?.term ?? base.term)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('compacting takes whole batches through the index, and none that reaches beyond it', () => {
    fc.assert(
      fc.property(oneCut, fc.nat(), (cut, at) => {
        const index = within(cut, at)
        const log = compact(cut.log, index)
        const kept = batchesIn(cut).filter((batch) => batch.index + batch.count - 1 > index)
        expect(log.cells.slice(0, log.length)).toEqual(kept)
        expect(log.base.index).toBeLessThanOrEqual(Math.max(index, cut.base.index))
        expect(log).toMatchObject({ lastIndex: cut.log.lastIndex, lastTerm: cut.log.lastTerm })
      }),
      { numRuns: 500 },
    )
  })

  it('termAt knows the base and what is behind it, and nothing before or after', () => {
    fc.assert(
      fc.property(oneCut, ({ log, base, model }) => {
        expect(termAt(log, base.index)).toBe(base.term)
        for (const { index, term } of model) expect(termAt(log, index)).toBe(term)
        expect(termAt(log, base.index - 1)).toBeUndefined()
        expect(termAt(log, log.lastIndex + 1)).toBeUndefined()
      }),
    )
  })

  it('read gives what is there', () => {
    fc.assert(
      fc.property(oneCut, fc.nat(), fc.nat(40), (cut, at, count) => {
        const from = within(cut, at) + 1
        const to = from + count - 1
        const naive = cut.model.filter(({ index }) => index >= from && index <= to)
        expect(entriesOf(read(cut.log, from, to))).toEqual(naive)
      }),
    )
  })

  it('lastIndexWithin goes back to the base when its term allows that, and else to before it', () => {
    fc.assert(
      fc.property(oneCut, fc.nat(80), fc.nat(15), ({ log, base, model }, index, term) => {
        const naive = model.filter((entry) => entry.index <= index && entry.term <= term)
        const atBase = base.term <= term ? base.index : base.index - 1
        const expected = naive.at(-1)?.index ?? Math.min(index, atBase)
        expect(lastIndexWithin(log, index, term)).toBe(expected)
      }),
      { numRuns: 500 },
    )
  })

  it('bytesAfter counts the batches that reach behind an index, wherever the log begins', () => {
    fc.assert(
      fc.property(oneCut, fc.nat(80), (cut, index) => {
        const behind = batchesIn(cut).filter((batch) => batch.index + batch.count - 1 > index)
        expect(bytesAfter(cut.log, index)).toBe(sizeOf(behind))
      }),
      { numRuns: 500 },
    )
  })

  it('indexBefore leaves so many bytes up to the index, and no batch more than it needs', () => {
    fc.assert(
      fc.property(oneCut, fc.nat(), fc.nat(120), (cut, at, bytes) => {
        const index = within(cut, at)
        const before = indexBefore(cut.log, index, bytes)
        expect(before).toBeLessThanOrEqual(index)
        expect(before).toBeGreaterThanOrEqual(cut.base.index)
        const upTo = batchesIn(cut).filter((batch) => batch.index <= index)
        const tail = upTo.filter((batch) => batch.index > before)
        const isAll = before === cut.base.index
        expect(isAll || sizeOf(tail) >= bytes).toBe(true)
        const shorter = tail.slice(1)
        if (tail.length > 0 && tail[0]!.index === before + 1) {
          expect(sizeOf(shorter)).toBeLessThan(bytes)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('an append must follow the base', () => {
    const log = emptyLog({ index: 5, term: 2 })
    expect(() => append(log, logOf([2], 5))).toThrow(InvariantError)
    expect(() => append(log, logOf([2], 7))).toThrow(InvariantError)
    expect(() => append(log, logOf([1], 6))).toThrow(InvariantError)
    expect(append(log, logOf([2], 6)).lastIndex).toBe(6)
  })
})
