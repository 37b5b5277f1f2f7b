import { describe, expect, test } from 'vitest'
import { audit, type Commit } from './audit.ts'
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

const told = (id: string, its: readonly Commit[], from = 1) => ({ id, from, commits: its })

describe('the audit', () => {
  test('is content when every server tells what the clients were told', () => {
    expect(audit([told('a', commits), told('b', commits)], writes)).toEqual([])
  })

  test('finds an acknowledged write that is gone from every server', () => {
    const lost = commits.slice(1)
    expect(audit([told('a', lost), told('b', lost)], writes)).toEqual([
      'a lost the acknowledged k/word = x at 2: nothing',
      'b lost the acknowledged k/word = x at 2: nothing',
    ])
  })

  test('finds an acknowledged write that is gone from one server', () => {
    expect(audit([told('a', commits), told('b', commits.slice(1))], writes)).toEqual([
      'a applied k/word = x at 2 where b applied k/count = 1 at 3',
      'b lost the acknowledged k/word = x at 2: nothing',
    ])
  })

  test('finds a write that was applied twice', () => {
    const twice = [...commits, { index: 6, key: 'k/word', value: 'x' }]
    expect(audit([told('a', twice)], writes)).toEqual(['a applied k/word = x twice: at 2 and 6'])
  })

  test('finds a write that a client was told did not and will not happen', () => {
    const refused = [...commits, { index: 6, key: 'k/word', value: 'lost on its way' }]
    expect(audit([told('a', refused)], writes)).toEqual([
      'a applied k/word = lost on its way at 6, which nobody wrote or which was refused',
    ])
  })

  test('finds a count that was left out', () => {
    const jump = [commits[0]!, commits[1]!, { index: 5, key: 'k/count', value: '3' }]
    const asked = [...writes, { key: 'k/count', value: '3', outcome: 'unknown' as const }]
    expect(audit([told('a', jump)], asked)).toEqual(['a counted k/count from 1 to 3 at 5'])
  })

  test('holds a server to what it still tells', () => {
    const newest = commits.slice(1)
    expect(audit([told('a', commits), told('b', newest, 3)], writes)).toEqual([])
  })
})
