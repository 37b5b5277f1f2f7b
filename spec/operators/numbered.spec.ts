import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Numbered } from '../../operators/numbered.ts'

type Move =
  | readonly ['set', number, string | undefined]
  | readonly ['take' | 'drop', number]
  | readonly ['run', number]
  | readonly ['clear']

const number = fc.oneof(fc.nat(30), fc.nat(300), fc.nat(Number.MAX_SAFE_INTEGER))

const moves: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(
        fc.constant('set' as const),
        number,
        fc.constantFrom('a', 'b', undefined),
      ),
    },
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom('take' as const, 'drop' as const), number) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('run' as const), fc.nat(200)) },
    { weight: 1, arbitrary: fc.constant(['clear'] as const) },
  ),
  { maxLength: 60 },
)

/** Does the same to a map, and says what came of it. */
function model(map: Map<number, string | undefined>, move: Move): unknown {
  switch (move[0]) {
    case 'set':
      return map.set(move[1], move[2])
    case 'take': {
      const taken = map.get(move[1])
      map.delete(move[1])
      return taken
    }
    case 'drop':
      for (const key of map.keys()) if (key < move[1]) map.delete(key)
      return undefined
    case 'run': {
      const from = Math.max(-1, ...map.keys()) + 1
      if (from + move[1] > Number.MAX_SAFE_INTEGER) return undefined
      for (let i = 0; i < move[1]; i++) map.set(from + i, 'run')
      for (let i = 0; i < move[1]; i += 3) map.delete(from + i)
      return undefined
    }
    case 'clear':
      return map.clear()
  }
}

function act(things: Numbered<string | undefined>, move: Move): unknown {
  switch (move[0]) {
    case 'set':
      return things.set(move[1], move[2])
    case 'take':
      return things.take(move[1])
    case 'drop':
      return things.drop(move[1])
    case 'run': {
      const from = Math.max(-1, ...[...things].map(([key]) => key)) + 1
      if (from + move[1] > Number.MAX_SAFE_INTEGER) return undefined
      for (let i = 0; i < move[1]; i++) things.set(from + i, 'run')
      for (let i = 0; i < move[1]; i += 3) things.take(from + i)
      return undefined
    }
    case 'clear':
      return things.clear()
  }
}

it('is a map in the order of its numbers, whatever is done to it', () => {
  fc.assert(
    fc.property(moves, fc.array(number, { maxLength: 5 }), (all, others) => {
      const map = new Map<number, string | undefined>()
      const things = new Numbered<string | undefined>()
      for (const move of all) {
        const expected = model(map, move)
        const came = act(things, move)
        if (move[0] === 'take') expect(came).toBe(expected)
        const sorted = [...map].sort(([a], [b]) => a - b)
        expect([...things]).toEqual(sorted)
        expect(things.size).toBe(map.size)
        expect(things.lowest).toBe(sorted[0]?.[0])
        for (const key of [...others, move[1] ?? 0, ...sorted.slice(-2).map(([key]) => key)]) {
          expect([key, things.has(key), things.get(key)]).toEqual([key, map.has(key), map.get(key)])
        }
      }
    }),
    { numRuns: 500 },
  )
})

it('keeps no room for what is gone, also behind one that stays', () => {
  const things = new Numbered<number>()
  things.set(0, 0)
  for (let i = 1; i < 100_000; i++) {
    things.set(i, i)
    things.take(i)
    if (i % 100 === 0) expect(things.places).toBeLessThanOrEqual(2 + 64)
  }
  things.set(100_000, 7)
  expect([...things]).toEqual([
    [0, 0],
    [100_000, 7],
  ])
})

it('tells of all, though each is taken out as it comes', () => {
  const things = new Numbered<number>()
  for (let i = 0; i < 1000; i++) things.set(i, i)
  const told: number[] = []
  for (const [number] of things) {
    told.push(number)
    things.take(number)
  }
  expect(told).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  expect(things.size).toBe(0)
})
