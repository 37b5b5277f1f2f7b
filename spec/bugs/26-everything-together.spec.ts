import { describe, expect, it } from 'vitest'
import { turmoil, type Operation, type Story } from './turmoil.ts'

const seeds = Array.from({ length: 12 }, (_, i) => i + 1)
const told = new Map<number, Story>()

function storyOf(seed: number): Story {
  const story = told.get(seed) ?? turmoil(seed)
  told.set(seed, story)
  return story
}

describe('partitions, kills and pauses that come together', () => {
  it.each(seeds)('split no brain, lose no word and empty no read: seed %i [bug 26]', (seed) => {
    const { operations, logs } = storyOf(seed)
    const log = logs[0]!
    for (const other of logs) expect(other).toEqual(log)
    expect(new Set(log).size, 'no word is there twice').toBe(log.length)
    expect(
      log.some((word) => word.startsWith('last')),
      'it heals',
    ).toBe(true)
    for (const { word, words, length } of operations) {
      if (length === undefined) continue
      if (word === undefined) expect(words).toEqual(log.slice(0, length))
      else expect(log[length - 1]).toBe(word)
    }
    expect(outOfOrder(operations)).toEqual([])
  })

  it('happen, and between them words are added and read', () => {
    for (const { operations, leaders, faults } of seeds.map(storyOf)) {
      expect(leaders).toBeGreaterThan(2)
      for (const count of Object.values(faults)) expect(count).toBeGreaterThan(3)
      const answered = operations.filter(({ to }) => to !== undefined)
      expect(answered.filter(({ word }) => word !== undefined).length).toBeGreaterThan(10)
      expect(answered.filter(({ word }) => word === undefined).length).toBeGreaterThan(10)
    }
  })
})

/** What took effect before something that had ended already when it began. */
function outOfOrder(operations: readonly Operation[]): string[] {
  const ended = operations.filter(({ to }) => to !== undefined)
  return ended.flatMap((later) => {
    const isWrite = later.word !== undefined
    const before = ended.filter(({ to }) => to! < later.from)
    const longest = Math.max(0, ...before.map(({ length }) => length!))
    return later.length! < longest + (isWrite ? 1 : 0)
      ? [`${later.word ?? 'a read'} at ${later.from} sees ${later.length} words of ${longest}`]
      : []
  })
}
