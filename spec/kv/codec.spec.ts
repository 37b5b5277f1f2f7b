import fc from 'fast-check'
import { msgpack } from 'rxraft'
import { describe, expect, it } from 'vitest'
import { commandCodec, resultCodec } from '../../kv/codec.ts'
import type { Command, Condition, Life, Result, Write } from '../../kv/machine.ts'

const key = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', 'a'.repeat(31), 'a'.repeat(32), 'é', '\x7f', '\x80', '\0'),
)
const value = fc.oneof(
  fc.uint8Array({ maxLength: 70 }),
  fc.nat(600).map((length) => new Uint8Array(length).fill(length)),
)
const version = fc.oneof(fc.nat(), fc.nat(Number.MAX_SAFE_INTEGER))
const condition: fc.Arbitrary<Condition> = fc.oneof(
  { arbitrary: fc.constant(null), weight: 4 },
  fc.constantFrom('absent' as const, 'present' as const),
  version,
)
const life: fc.Arbitrary<Life> = fc.record({ ttl: version, at: version })
const write: fc.Arbitrary<Write> = fc.oneof(
  { arbitrary: fc.tuple(fc.constant('put' as const), key, value, condition), weight: 4 },
  fc.tuple(fc.constant('put' as const), key, value, condition, life),
  fc.tuple(fc.constant('delete' as const), key, condition),
)
const command: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: write, weight: 4 },
  fc.tuple(fc.constant('once' as const), key, key, write),
  fc.tuple(fc.constant('time' as const), version),
)

/** Bytes are bytes, whatever class they have. */
const plain = (value: unknown): unknown =>
  value instanceof Uint8Array
    ? [...value]
    : Array.isArray(value)
      ? value.map((item) => plain(item))
      : value

/** The bytes between others. */
function within(bytes: Uint8Array): { all: Uint8Array; start: number; end: number } {
  const all = new Uint8Array(bytes.length + 9).fill(0x94)
  all.set(bytes, 4)
  return { all, start: 4, end: 4 + bytes.length }
}

describe('a command in bytes', () => {
  it('is what MessagePack makes of it, to the byte, and comes back from it', () => {
    const any = msgpack<Command>()
    const codec = commandCodec()
    fc.assert(
      fc.property(command, (it) => {
        const bytes = codec.encode(it)
        const expected = any.encode(it)
        expect([...bytes]).toEqual([...expected])
        expect(plain(codec.decode(bytes))).toEqual(plain(any.decode(expected)))
        const { all, start, end } = within(bytes)
        expect(plain(codec.decodeWithin!(all, start, end))).toEqual(plain(any.decode(expected)))
      }),
      { numRuns: 2_000 },
    )
  })

  it('is refused where MessagePack refuses it, and never read beyond its end', () => {
    const any = msgpack<Command>()
    const codec = commandCodec()
    const outcome = (decode: () => unknown): unknown => {
      try {
        return plain(decode())
      } catch {
        return 'refused'
      }
    }
    const put = fc.tuple(
      fc.constant('put' as const),
      key,
      fc.uint8Array({ maxLength: 9 }),
      fc.constant(null),
    )
    fc.assert(
      fc.property(put, fc.nat(50), fc.nat(255), fc.nat(3), (it, at, byte, cut) => {
        const bytes = codec.encode(it).slice()
        if (at < bytes.length) bytes[at] = byte
        const damaged = bytes.slice(0, bytes.length - cut)
        const { all, start, end } = within(damaged)
        const expected = outcome(() => any.decode(damaged))
        expect(outcome(() => codec.decode(damaged))).toEqual(expected)
        expect(outcome(() => codec.decodeWithin!(all, start, end))).toEqual(expected)
      }),
      { numRuns: 5_000 },
    )
  })

  it('ends where its bytes end, and not at another place that looks like an end', () => {
    const codec = commandCodec()
    const nil = 0xc0
    const bytes = codec.encode(['put', 'x', Uint8Array.of(1, nil, 2), null]).slice()
    const lengthAt = bytes.length - 5
    expect(bytes[lengthAt]).toBe(3)
    const all = new Uint8Array(bytes.length + 9).fill(nil)
    for (const length of [1, 4, 9]) {
      bytes[lengthAt] = length
      all.set(bytes)
      expect(() => codec.decode(bytes)).toThrow()
      expect(() => codec.decodeWithin!(all, 0, bytes.length)).toThrow()
    }
  })

  it('stays as it is when others are encoded', () => {
    const codec = commandCodec()
    const all = Array.from({ length: 2_000 }, (_, i): Command => {
      return ['put', `key${i}`, new Uint8Array(i % 99).fill(i), null]
    })
    const bytes = all.map((it) => codec.encode(it))
    expect(bytes.map((it) => plain(codec.decode(it)))).toEqual(all.map((it) => plain(it)))
  })
})

describe('a result in bytes', () => {
  const at = fc.record({ index: version, term: version })
  const result: fc.Arbitrary<Result> = fc.oneof(
    { arbitrary: fc.record({ ok: fc.constant(true as const), version }), weight: 3 },
    fc.record({ ok: fc.constant(true as const), version, first: at }),
    fc.record({ ok: fc.constant(true as const), version, expired: fc.array(key) }),
    fc.record({
      ok: fc.constant(false as const),
      reason: fc.constantFrom('condition' as const, 'not-found' as const),
      version,
    }),
    fc.record({ ok: fc.constant(false as const), reason: fc.constant('reused' as const), version }),
  )

  it('comes back from its bytes, wherever they lie', () => {
    const codec = resultCodec()
    fc.assert(
      fc.property(result, (it) => {
        const bytes = codec.encode(it)
        const { all, start, end } = within(bytes)
        expect(codec.decode(bytes)).toEqual(it)
        expect(codec.decodeWithin!(all, start, end)).toEqual(it)
      }),
      { numRuns: 1_000 },
    )
  })

  it('is a number of MessagePack for a write that took effect', () => {
    const codec = resultCodec()
    for (const version of [1, 0xffff_ffff, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      expect(msgpack().decode(codec.encode({ ok: true, version }))).toBe(version)
    }
  })
})
