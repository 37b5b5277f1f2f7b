import { describe, expect, test } from 'vitest'
import { kinds } from './kinds.ts'
import { parse } from './options.ts'

describe('the command line of the nemesis', () => {
  test('has a default for everything', () => {
    expect(parse([])).toEqual({
      minutes: 5,
      sizes: [3, 5],
      seed: 1,
      only: kinds,
      loopback: false,
      json: false,
    })
  })

  test('is read', () => {
    const args = ['--minutes', '0.5', '--nodes', '5', '--seed', '7', '--only', 'kill,cut', '--json']
    expect(parse(args)).toEqual({
      minutes: 0.5,
      sizes: [5],
      seed: 7,
      only: ['kill', 'cut'],
      loopback: false,
      json: true,
    })
  })

  test('may ask for help', () => expect(parse(['--help'])).toBeUndefined())

  test.each([
    [['--minutes', '0'], '--minutes is "0"'],
    [['--minutes', 'x'], '--minutes is "x"'],
    [['--nodes', '4'], '--nodes is "4"'],
    [['--seed', '-1'], '--seed'],
    [['--seed', '1.5'], '--seed is "1.5"'],
    [['--only', 'kill,flood'], '--only names "flood"'],
    [['--unknown'], '--unknown'],
  ])('%j is refused', (args, reason) => expect(() => parse(args)).toThrow(reason))
})
