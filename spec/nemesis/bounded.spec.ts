import { describe, expect, test } from 'vitest'
import { tooOld, type Bound } from './bounded.ts'
import type { Write } from './history.ts'
import { unnatural, type Life } from './mortals.ts'

const writes: readonly Write[] = [
  { key: 'k', value: '1', outcome: 3, returned: 100 },
  { key: 'k', value: '2', outcome: 7, returned: 200 },
  { key: 'k', value: '3', outcome: 'unknown' },
  { key: 'other', value: '1', outcome: 9, returned: 110 },
]

describe('a read within a bound', () => {
  const judged = (bound: Bound, version: number) =>
    tooOld([{ key: 'k', bound, invoked: 300, version }], writes)

  test.each<[Bound, version: number, isRight: boolean]>([
    [{ within: 150 }, 3, true],
    [{ within: 150 }, 0, false],
    [{ within: 250 }, 0, true],
    [{ within: 50 }, 3, false],
    [{ within: 50 }, 7, true],
    [{ within: 50 }, 12, true],
    [{ atLeast: 6 }, 3, true],
    [{ atLeast: 6 }, 0, false],
    [{ atLeast: 7 }, 3, false],
    [{ atLeast: 9 }, 7, true],
  ])('of %j that found version %i: %s', (bound, version, isRight) => {
    expect(judged(bound, version)).toHaveLength(isRight ? 0 : 1)
  })

  test('says what is missing', () => {
    expect(judged({ within: 50 }, 3)).toEqual(['a read within 50 ms found k as of 3, and 7 is due'])
  })
})

describe('a key with a time to live', () => {
  const life = (...looks: readonly [asked: number, isThere: boolean][]): Life => ({
    ...{ key: 'm', ttl: 1_000, asked: 100 },
    looks: looks.map(([asked, isThere]) => ({ asked, answered: asked + 20, isThere })),
  })

  test.each<[string, Life, string[]]>([
    ['goes', life([500, true], [1_200, true], [1_900, false], [2_100, false]), []],
    ['goes late', life([9_000, true]), []],
    [
      'goes early',
      life([500, false]),
      ['m was gone 420 ms after it was written, and had 1000 to live'],
    ],
    [
      'comes back',
      life([1_200, false], [1_400, true]),
      ['m is there again 180 ms after it was gone'],
    ],
    ['is seen by a look that was under way', life([1_200, false], [1_210, true]), []],
  ])('%s', (_, seen, problems) => {
    expect(unnatural(seen)).toEqual(problems)
  })
})
