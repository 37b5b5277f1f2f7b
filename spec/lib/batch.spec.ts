import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isPacked,
  lastIndexOf,
  LENGTH_BYTES,
  noop,
  pack,
  readLength,
  slice,
  unpack,
  writeLength,
  type Batch,
} from '../../lib/batch.ts'

const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 12 })
const batchOf = (index: number, of: readonly Uint8Array[]): Batch => ({
  index,
  term: 7,
  kind: 'command',
  count: of.length,
  bytes: pack(of),
})

describe('pack and unpack', () => {
  it('what is packed comes out as it went in', () => {
    fc.assert(
      fc.property(payloads, (of) => {
        expect(unpack(batchOf(3, of))).toEqual(of)
      }),
    )
  })

  it('each payload costs its length and four bytes, written little endian', () => {
    expect(pack([new Uint8Array([9]), new Uint8Array(258).fill(1)]).subarray(0, 9)).toEqual(
      new Uint8Array([1, 0, 0, 0, 9, 2, 1, 0, 0]),
    )
    expect(pack([])).toEqual(new Uint8Array(0))
  })

  it('a length uses all of its 32 bits', () => {
    for (const length of [0, 1, 255, 256, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      const bytes = new Uint8Array(LENGTH_BYTES + 1)
      writeLength(bytes, 1, length)
      expect(readLength(bytes, 1)).toBe(length)
      expect(new DataView(bytes.buffer).getUint32(1, true)).toBe(length)
    }
  })

  it('unpacked payloads are views: nothing is copied', () => {
    const batch = batchOf(1, [new Uint8Array([1, 2]), new Uint8Array([3])])
    for (const payload of unpack(batch)) expect(payload.buffer).toBe(batch.bytes.buffer)
  })

  it('a batch knows the index of its last entry', () => {
    expect(lastIndexOf(batchOf(5, [new Uint8Array(1)]))).toBe(5)
    expect(lastIndexOf(batchOf(5, [new Uint8Array(1), new Uint8Array(1)]))).toBe(6)
  })

  it('the empty entry is one entry without a payload', () => {
    const empty = noop(4, 2)
    expect(empty).toMatchObject({ index: 4, term: 2, kind: 'noop', count: 1 })
    expect(unpack(empty)).toEqual([new Uint8Array(0)])
    expect(isPacked(empty.bytes, 1)).toBe(true)
  })
})

describe('isPacked', () => {
  it('is true for exactly the number of payloads that were packed', () => {
    fc.assert(
      fc.property(payloads, fc.integer({ min: 0, max: 20 }), (of, count) => {
        expect(isPacked(pack(of), count)).toBe(count === of.length)
      }),
    )
  })

  it('is false when a byte is missing or one too many is there', () => {
    fc.assert(
      fc.property(payloads, (of) => {
        const bytes = pack(of)
        expect(isPacked(bytes.subarray(0, -1), of.length)).toBe(false)
        expect(isPacked(new Uint8Array([...bytes, 0]), of.length)).toBe(false)
      }),
    )
  })

  it('is false for a length that points far behind the end', () => {
    expect(isPacked(new Uint8Array([255, 255, 255, 255, 1]), 1)).toBe(false)
  })

  it('never reads behind the end, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), fc.nat(10), (bytes, count) => {
        if (isPacked(bytes, count)) {
          const all = unpack({ index: 1, term: 1, kind: 'command', count, bytes })
          const size = all.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0)
          expect(size).toBe(bytes.length)
        }
      }),
    )
  })
})

describe('slice', () => {
  it('holds the entries from the first to the last index, both included', () => {
    fc.assert(
      fc.property(payloads, fc.nat(20), fc.nat(20), (of, a, b) => {
        const [first, last] = [a % of.length, b % of.length].sort((x, y) => x - y) as [
          number,
          number,
        ]
        const part = slice(batchOf(10, of), 10 + first, 10 + last)
        expect(part).toMatchObject({ index: 10 + first, term: 7, kind: 'command' })
        expect(unpack(part)).toEqual(of.slice(first, last + 1))
        expect(isPacked(part.bytes, part.count)).toBe(true)
      }),
    )
  })

  it('is a view on the same bytes, and the whole batch is the batch itself', () => {
    const batch = batchOf(10, [new Uint8Array([1]), new Uint8Array([2]), new Uint8Array([3])])
    expect(slice(batch, 11, 12).bytes.buffer).toBe(batch.bytes.buffer)
    expect(slice(batch, 10, 12)).toBe(batch)
    expect(slice(batch, 1, 99)).toBe(batch)
  })
})
