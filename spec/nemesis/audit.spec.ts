import { describe, expect, test } from 'vitest'
import { audit, untold, type Commit } from './audit.ts'
import { differences } from './contents.ts'
import type { Write } from './history.ts'

const commits: readonly Commit[] = [
  { index: 2, key: 'k/word', value: 'x' },
  { index: 3, key: 'k/count', value: '1' },
  { index: 5, key: 'k/count', value: '2' },
]

const writes: readonly Write[] = [
  { key: 'k/word', value: 'x', outcome: 2 },
  { key: 'k/word', value: 'lost on its way', outcome: 'none' },
  { key: 'k/count', value: '1', outcome: 3 },
  { key: 'k/count', value: '2', outcome: 'unknown' },
]

const told = (id: string, its: readonly Commit[], ...ranges: (readonly [number, number])[]) => ({
  id,
  ranges: (ranges.length === 0 ? [[1, 6] as const] : ranges).map(([from, through]) => ({
    from,
    through,
  })),
  commits: its,
})

describe('the audit', () => {
  test('is content when every server tells what the clients were told', () => {
    expect(audit([told('a', commits), told('b', commits)], writes)).toEqual([])
  })

  test('finds an acknowledged write that is gone from every server', () => {
    const lost = commits.slice(1)
    expect(audit([told('a', lost), told('b', lost)], writes)).toEqual([
      'the acknowledged k/word = x at 2 is lost: nothing',
    ])
  })

  test('finds an acknowledged write that is gone from one server', () => {
    expect(audit([told('a', commits), told('b', commits.slice(1))], writes)).toEqual([
      'b applied nothing where another applied k/word = x at 2',
    ])
  })

  test('finds two servers that applied different things at one index', () => {
    const other = [{ index: 2, key: 'k/word', value: 'y' }, ...commits.slice(1)]
    expect(audit([told('a', commits), told('b', other)], writes)).toEqual([
      'a applied k/word = x at 2 where b applied k/word = y at 2',
    ])
  })

  test('finds a write that was applied twice', () => {
    const twice = [...commits, { index: 6, key: 'k/word', value: 'x' }]
    expect(audit([told('a', twice)], writes)).toEqual(['k/word = x was applied twice: at 2 and 6'])
  })

  test('finds a write that a client was told did not and will not happen', () => {
    const refused = [...commits, { index: 6, key: 'k/word', value: 'lost on its way' }]
    expect(audit([told('a', refused)], writes)).toEqual([
      'k/word = lost on its way at 6 was applied, which nobody wrote or which was refused',
    ])
  })

  test('finds a count that was left out, where somebody has told of everything in between', () => {
    const jump = [commits[0]!, commits[1]!, { index: 5, key: 'k/count', value: '3' }]
    const asked = [...writes, { key: 'k/count', value: '3', outcome: 'unknown' as const }]
    expect(audit([told('a', jump)], asked)).toEqual(['k/count was counted from 1 to 3 at 5'])
    expect(audit([told('a', jump, [1, 3], [5, 6])], asked)).toEqual([])
    expect(
      audit([told('a', jump, [1, 3], [5, 6]), told('b', jump.slice(1), [3, 4])], asked),
    ).toEqual(['k/count was counted from 1 to 3 at 5'])
  })

  test('holds a server to what it tells of', () => {
    const newest = commits.slice(1)
    expect(audit([told('a', commits), told('b', newest, [3, 6])], writes)).toEqual([])
    expect(audit([told('a', newest, [3, 6])], writes)).toEqual([])
  })

  test('knows how much nobody has told of', () => {
    expect(untold([told('a', commits)], writes)).toBe(0)
    expect(untold([told('a', commits.slice(1), [3, 6])], writes)).toBe(0.5)
  })
})

describe('what the servers hold at the end', () => {
  const held = (id: string, ...all: readonly (readonly [string, string, number])[]) => ({
    id,
    items: new Map(all.map(([key, value, version]) => [key, { value, version }])),
  })

  test('is the same', () => {
    const a = held('a', ['k/word', 'x', 2], ['k/count', '1', 3])
    expect(
      differences(
        [
          a,
          held('b', ...[...a.items].map(([k, { value, version }]) => [k, value, version] as const)),
        ],
        writes,
      ),
    ).toEqual([])
    expect(differences([a, held('b', ['k/word', 'y', 2], ['k/count', '1', 3])], writes)).toEqual([
      'a holds k/word = x at 2, b y at 2',
    ])
  })

  test('is no older than what was acknowledged', () => {
    const old = held('a', ['k/word', 'x', 2], ['k/count', '0', 1])
    expect(differences([old], writes)).toEqual(['a holds k/count as of 1, not 3'])
  })
})
