import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPacked, type Batch } from '../../lib/batch.ts'
import { InvariantError } from '../../lib/errors.ts'
import {
  append,
  bytesAfter,
  emptyLog,
  lastIndexWithin,
  read,
  termAt,
  truncate,
  type Log,
} from '../../lib/log.ts'
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
