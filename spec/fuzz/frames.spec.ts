import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { decode, unsendable } from '../../adapters/transport/codec.ts'
import { FrameReader, HEADER_BYTES, type Frame } from '../../adapters/transport/tcp/frame.ts'
import {
  decodeHello,
  decodeNumber,
  decodeText,
  encodeHello,
} from '../../adapters/transport/tcp/hello.ts'
import { Sheet } from '../../adapters/transport/tcp/sheet.ts'
import { Slab } from '../../lib/slab.ts'
import { anyMessage } from '../adapters/transport/messages.ts'
import { damage, damaged } from './anything.ts'

const LIMIT = 4096

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

/** Notes how much memory is asked for at once, by arrays and by slabs. */
function watchMemory(): () => number {
  let largest = 0
  const Real = Uint8Array
  vi.stubGlobal(
    'Uint8Array',
    new Proxy(Real, {
      construct: (target, args: [unknown]) => {
        if (typeof args[0] === 'number') largest = Math.max(largest, args[0])
        return Reflect.construct(target, args) as Uint8Array
      },
    }),
  )
  const reserve = Slab.prototype.reserve
  vi.spyOn(Slab.prototype, 'reserve').mockImplementation(function (this: Slab, size) {
    largest = Math.max(largest, size)
    reserve.call(this, size)
  })
  return () => largest
}

/** Everything that comes of the bytes, in pieces of this size. */
function read(bytes: Uint8Array, size: number): Frame[] {
  const reader = new FrameReader(LIMIT)
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; at += size) {
    reader.push(bytes.slice(at, at + size))
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      if (next.type === 'malformed') return frames
      frames.push({ ...next, head: next.head.slice() })
    }
  }
  return frames
}

/** Both checksums of the frame at the beginning are right again, if it is all there. */
function resealed(bytes: Uint8Array): Uint8Array {
  const sealed = Buffer.from(bytes)
  if (sealed.length < HEADER_BYTES) return sealed
  const length = sealed.readUInt32LE(6)
  const end = HEADER_BYTES + sealed.readUInt32LE(10)
  if (end > sealed.length || HEADER_BYTES + length < end) return sealed
  sealed.writeUInt32LE(crc32(sealed.subarray(end, HEADER_BYTES + length)), 14)
  sealed.writeUInt32LE(crc32(sealed.subarray(4, end)), 0)
  return sealed
}

const pieces = fc.integer({ min: 1, max: 200 })

describe('frames from a stranger', () => {
  it('of any bytes never take more memory than the limit, in any pieces [F53] [F63]', () => {
    const largest = watchMemory()
    const header = fc.tuple(fc.constantFrom(1, 7), fc.nat(0xffff_ffff), fc.nat(0xffff_ffff))
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 300 }), pieces, (fields, rest, size) => {
        const [kind, length, headLength] = fields
        const bytes = Buffer.concat([Buffer.alloc(HEADER_BYTES), rest])
        bytes.set([1, kind], 4)
        bytes.writeUInt32LE(length, 6)
        bytes.writeUInt32LE(headLength, 10)
        read(bytes, size)
        read(resealed(bytes), size)
      }),
      { numRuns: 2_000 },
    )
    expect(largest()).toBeLessThanOrEqual(Math.max(LIMIT, 64 * 1024))
    expect(largest()).toBeGreaterThan(0)
  })

  it('that are damaged behind right checksums bring a legal message or none [F55] [F57] [F58]', () => {
    let legal = 0
    const largest = watchMemory()
    fc.assert(
      fc.property(
        anyMessage,
        fc.array(damage, { minLength: 1, maxLength: 3 }),
        pieces,
        (message, all, size) => {
          const sheet = new Sheet()
          sheet.add(message)
          const wire = new Uint8Array(Buffer.concat(sheet.take()))
          for (const { type, head, body } of read(resealed(all.reduce(damaged, wire)), size)) {
            if (type !== 'message') continue
            const decoded = decode(head, body)
            if (decoded.type === 'malformed') continue
            legal++
            expect(unsendable(decoded)).toBeUndefined()
          }
        },
      ),
      { numRuns: 2_000 },
    )
    expect(legal).toBeGreaterThan(20)
    expect(largest()).toBeLessThanOrEqual(1 << 20)
  })
})

describe('a hello', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  const hello = fc.record({ cluster: text, from: text, to: text, incarnation: text })

  it('of any bytes is a hello or refused, and never thrown at [F55] [F57]', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1100 }), (bytes) => {
        const decoded = decodeHello(bytes)
        if ('type' in decoded) expect(decoded.reason).toMatch(/^hello: /)
        else expect(encodeHello(decoded)).toEqual(bytes)
        expect(decodeNumber(bytes)).toBeGreaterThanOrEqual(-1)
        expect(['string', 'undefined']).toContain(typeof decodeText(bytes))
      }),
      { numRuns: 2_000 },
    )
  })

  it('that is damaged is another hello or refused, never half of one [F55]', () => {
    fc.assert(
      fc.property(hello, damage, (said, harm) => {
        const wire = encodeHello(said)
        expect(decodeHello(wire)).toEqual(said)
        const bytes = damaged(wire, harm)
        const decoded = decodeHello(bytes)
        if (!('type' in decoded)) expect(encodeHello(decoded)).toEqual(bytes)
      }),
      { numRuns: 2_000 },
    )
  })
})
