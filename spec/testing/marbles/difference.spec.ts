import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { difference } from '../../../testing/marbles/difference.ts'
import { readPicture } from '../../../testing/marbles/picture.ts'

const lines = (...text: string[]): string => text.join('\n')

describe('difference', () => {
  it('lays two pictures one over the other, and points', () => {
    expect(difference('----a---------b', '----a-----------b')).toBe(
      lines(
        "  expected  '----a---------b--'",
        "  but was   '----a-----------b'",
        '                           ^',
      ),
    )
  })

  it('is nothing between pictures that only end differently', () => {
    expect(difference('--a--', '--a')).toBeUndefined()
    expect(difference('', '----')).toBeUndefined()
  })

  it('tells a long time by its length, in both alike', () => {
    const quiet = '-'.repeat(30)
    expect(difference(`${quiet}a${quiet}b`, `${quiet}a${quiet}-b`)).toBe(
      lines(
        "  expected  '30ms a 30ms b-'",
        "  but was   '30ms a 30ms -b'",
        '                         ^',
      ),
    )
  })

  it('shows what was, as a picture to copy', () => {
    const mark = fc.record({ gap: fc.nat(60), letter: fc.constantFrom('a', 'b', 'n') })
    const pictures = fc
      .array(mark, { maxLength: 6 })
      .map((all) => all.map(({ gap, letter }) => '-'.repeat(gap) + letter).join(''))
    fc.assert(
      fc.property(pictures, pictures, (expected, actual) => {
        const text = difference(expected, actual)
        if (text === undefined) {
          expect(actual).toBe(expected)
          return
        }
        const rows = text.split('\n')
        const [one, other] = rows.map((row) => /'(.*)'/.exec(row)?.[1])
        expect(marksIn(one!)).toEqual(marksIn(expected))
        expect(marksIn(other!)).toEqual(marksIn(actual))
        const caret = rows[2]!.indexOf('^')
        expect(rows[0]!.slice(0, caret).slice(11)).toBe(rows[1]!.slice(0, caret).slice(11))
        expect(rows[0]![caret]).not.toBe(rows[1]![caret])
      }),
    )
  })
})

const marksIn = (picture: string) =>
  readPicture('it', picture).marks.map(({ at, text }) => [at, text])
