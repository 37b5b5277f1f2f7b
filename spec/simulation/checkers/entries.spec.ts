import { describe, expect, it } from 'vitest'
import { append, compact, emptyLog } from '../../../lib/log.ts'
import {
  lastCommon,
  lastOf,
  termIn,
  visitBatch,
  visitLog,
} from '../../../testing/checkers/entries.ts'
import { batchOf, entryOf, logOf } from './support.ts'

const log = append(logOf('1'), [batchOf(2, 1, 'x', 'y', 'z'), entryOf(5, '2'), batchOf(6, 3, 'w')])

describe('a log read without the engine', () => {
  it('shows just the entries asked for, also from the middle of a batch', () => {
    const show = (from: number, to: number): string[] => {
      const shown: string[] = []
      visitLog(log, from, to, (index, term) => shown.push(`${index}@${term}`))
      return shown
    }
    expect(show(3, 5)).toEqual(['3@1', '4@1', '5@2'])
    expect(show(4, 4)).toEqual(['4@1'])
    expect(show(0, 99)).toHaveLength(6)
    expect(show(7, 9)).toEqual([])
  })

  it('finds terms', () => {
    expect([0, 1, 2, 4, 5, 6, 7].map((index) => termIn(log, index))).toEqual([
      ...[0, 1, 1, 1, 2, 3],
      undefined,
    ])
  })

  it('never looks behind the end of a window', () => {
    const window = { ...log, length: 2, lastIndex: 4 }
    expect(termIn(window, 5)).toBeUndefined()
    expect(lastCommon(log, window)).toBe(4)
  })

  it('finds what two windows have in common', () => {
    const other = append({ ...log, length: 2, lastIndex: 4, lastTerm: 1 }, [entryOf(5, '4')])
    expect(lastCommon(log, other)).toBe(4)
    expect(lastCommon(log, logOf())).toBe(0)
    expect(lastOf(log, 0)).toBe(0)
  })

  it('finds what a log and the same without its beginning have in common', () => {
    const short = compact(log, 4)
    expect(short.base).toEqual({ index: 4, term: 1 })
    expect([3, 4, 5, 6].map((index) => termIn(short, index))).toEqual([undefined, 1, 2, 3])
    expect(lastCommon(log, short)).toBe(6)
    expect(lastCommon(short, log)).toBe(6)
    expect(lastCommon(short, { ...log, length: 3, lastIndex: 5 })).toBe(5)
    expect(lastCommon(short, { ...log, length: 2, lastIndex: 4 })).toBe(4)
    expect(lastCommon(log, emptyLog({ index: 9, term: 3 }))).toBe(9)
  })

  it('tells entries apart by kind, by bytes, and by length', () => {
    const printOf = (entry: string): number => {
      let print = 0
      visitBatch(entryOf(1, entry), 1, 1, (_, __, it) => (print = it))
      return print
    }
    const prints = ['1', '1:', '1:x', '1:y', '1:xy', '1:yx', '1:\0', '1:\0\0'].map(printOf)
    expect(new Set(prints).size).toBe(prints.length)
    expect(printOf('1:x')).toBe(printOf('2:x'))
  })
})
