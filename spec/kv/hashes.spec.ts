import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hashOf } from '../../kv/hashes.ts'

it('tells values apart that differ in a bit, or in their length, wherever that is', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    fc.integer({ min: 500, max: 530 }).map((length) => new Uint8Array(length)),
  )
  fc.assert(
    fc.property(bytes, fc.nat(), fc.nat(7), (value, at, bit) => {
      const other = value.slice()
      other[at % value.length]! ^= 1 << bit
      expect(hashOf('key', other, 1)).not.toBe(hashOf('key', value, 1))
      expect(hashOf('key', value.subarray(1), 1)).not.toBe(hashOf('key', value, 1))
    }),
    { numRuns: 1_000 },
  )
})

it('hardly ever gives two of a hundred thousand the same, whichever part they differ in', () => {
  const count = 100_000
  const bytesOf = (i: number): Uint8Array => new Uint8Array(new Uint32Array([7, i, 7]).buffer)
  const kinds: ((i: number) => number)[] = [
    (i) => hashOf(`key-${i}`, new Uint8Array(8), 1, 0),
    (i) => hashOf('key', bytesOf(i), 1, 0),
    (i) => hashOf('key', new Uint8Array(8), i, 0),
    (i) => hashOf('key', new Uint8Array(8), 1, i * 2 ** 32),
    (i) => hashOf(String.fromCharCode(i % 300), bytesOf(i), i, i),
  ]
  for (const kind of kinds) {
    const hashes = new Set(Array.from({ length: count }, (_, i) => kind(i)))
    // Chance alone would give about one pair.
    expect(hashes.size).toBeGreaterThan(count - 10)
  }
})

it('depends on the order of its parts', () => {
  expect(hashOf('a', 'b')).not.toBe(hashOf('b', 'a'))
  expect(hashOf('ab', '')).not.toBe(hashOf('a', 'b'))
})
