import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { decode } from '../../../adapters/transport/codec.ts'
import type { Malformed } from '../../../adapters/transport/malformed.ts'
import {
  frame,
  FrameReader,
  HEADER_BYTES,
  type Frame,
} from '../../../adapters/transport/tcp/frame.ts'
import { Sheet } from '../../../adapters/transport/tcp/sheet.ts'
import type { Append, Message } from '../../../lib/messages.ts'
import { anyMessage, bigAppend } from './messages.ts'

const LIMIT = 1 << 20

function toWire(...messages: readonly Message[]): Uint8Array {
  const sheet = new Sheet()
  for (const message of messages) sheet.add(message)
  const { bytes } = sheet
  const wire = Uint8Array.from(Buffer.concat(sheet.take()))
  expect(wire.length).toBe(bytes)
  return wire
}

/** Feeds the chunks to a reader, and gives what came out: heads are copied, as they may be reused. */
function read(chunks: Iterable<Uint8Array>, limit = LIMIT): (Frame | Malformed)[] {
  const reader = new FrameReader(limit)
  const frames: (Frame | Malformed)[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      frames.push(next.type === 'malformed' ? next : { ...next, head: next.head.slice() })
      if (next.type === 'malformed') return frames
    }
  }
  return frames
}

const messagesIn = (chunks: Iterable<Uint8Array>): (Message | Malformed)[] =>
  read(chunks).map((it) => (it.type === 'malformed' ? it : decode(it.head, it.body)))

function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): Iterable<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    // Each chunk lies in memory of its own, which is spoilt once it is used, as a socket's may be.
    const chunk = bytes.slice(at, at + size)
    yield chunk
    chunk.fill(0xee)
    at += size
  }
}

describe('frames', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 })

  it('come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 8 }), sizes, (messages, cuts) => {
        expect(messagesIn(chunksOf(toWire(...messages), cuts))).toStrictEqual(messages)
      }),
    )
  })

  it('of hundreds of kilobytes come out of many chunks', () => {
    const messages = [bigAppend(4096, 64), bigAppend(1, 5), bigAppend(2, 100_000)]
    expect(messagesIn(chunksOf(toWire(...messages), [65_536]))).toStrictEqual(messages)
  })

  it('do not keep the chunk that brought them, and lie together', () => {
    const chunk = toWire(bigAppend(1, 6), bigAppend(1, 10_000))
    const [small, large] = messagesIn([chunk]) as [Append, Append]
    expect(small.batches[0]!.bytes.buffer).not.toBe(chunk.buffer)
    expect(large.batches[0]!.bytes.buffer).toBe(small.batches[0]!.bytes.buffer)
    expect(Buffer.isBuffer(large.batches[0]!.bytes)).toBe(false)
  })

  it('go out without a copy of large entries', () => {
    const message = bigAppend(4, 64 * 1024)
    const sheet = new Sheet()
    sheet.add(message)
    sheet.add(message)
    const pieces = sheet.take()
    expect(pieces).toHaveLength(4)
    expect(pieces[1]).toBe(message.batches[0]!.bytes)
    expect(pieces[3]).toBe(message.batches[0]!.bytes)
    expect(sheet.take()).toEqual([])
  })

  it('share a piece of memory when they are small', () => {
    const sheet = new Sheet()
    for (let i = 0; i < 500; i++) sheet.add(bigAppend(1, 8, i + 1))
    expect(sheet.take()).toHaveLength(1)
  })
})

describe('a stranger’s frame', () => {
  const wire = toWire(bigAppend(3, 20))
  const change = (at: number, ...values: number[]): Uint8Array => {
    const changed = wire.slice()
    changed.set(values, at)
    return changed
  }
  const reasonOf = (bytes: Uint8Array, limit?: number): string => {
    const [first] = read([bytes], limit)
    return first?.type === 'malformed' ? first.reason : `accepted: ${first?.type}`
  }

  it('is refused by its length before any memory is taken for it [F53] [F54] [bug 65]', () => {
    const before = process.memoryUsage().arrayBuffers
    for (const length of [LIMIT + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      const bytes = change(6, length, length >>> 8, length >>> 16, length >>> 24)
      expect(reasonOf(bytes)).toBe(`${length} bytes, at most ${LIMIT} allowed`)
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(LIMIT)
  })

  it('is refused one byte over the limit, and accepted at it', () => {
    const length = wire.length - HEADER_BYTES
    expect(reasonOf(wire, length)).toBe('accepted: message')
    expect(reasonOf(wire, length - 1)).toMatch(/at most/)
  })

  it('is refused for a version, a kind, a head or a body that cannot be [F57]', () => {
    expect(reasonOf(change(4, 2))).toMatch(/version 2/)
    expect(reasonOf(change(5, 0))).toMatch(/kind 0/)
    expect(reasonOf(change(5, 10))).toMatch(/kind 10/)
    expect(reasonOf(change(5, 1))).toMatch(/a body in a frame of type hello/)
    expect(reasonOf(change(10, 255, 255))).toMatch(/a head of/)
  })

  it('is refused when any bit of it is another [F55]', () => {
    for (let bit = 0; bit < wire.length * 8; bit++) {
      const bytes = wire.slice()
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      const [first] = read([bytes, new Uint8Array(LIMIT)])
      expect(first?.type, `bit ${bit}`).toBe('malformed')
    }
  })

  it('never comes through altered when whole frames are mutated, cut and spliced', () => {
    const splice = fc.record({
      at: fc.nat(),
      removed: fc.nat(6),
      added: fc.uint8Array({ maxLength: 6 }),
    })
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 4 }), splice, (messages, change) => {
        const bytes = [...toWire(...messages)]
        bytes.splice(change.at % (bytes.length + 1), change.removed, ...change.added)
        const heard = messagesIn([Uint8Array.from(bytes)]).filter((it) => it.type !== 'malformed')
        for (const message of heard) {
          expect(messages.some((said) => isDeepStrictEqual(said, message))).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('of random bytes never throws and never takes memory beyond the limit', () => {
    const noise = fc.uint8Array({ minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(noise, fc.boolean(), (bytes, isOfThisVersion) => {
        if (isOfThisVersion && bytes.length > 5) bytes.set([1, 7], 4)
        for (const it of read([bytes])) expect(it.type).toBe('malformed')
      }),
      { numRuns: 2_000 },
    )
  })

  it('with a right checksum and a wrong message is told by the decoder', () => {
    const head = Uint8Array.of(200, 1, 2, 3)
    expect(messagesIn([frame('message', head)])).toEqual([
      { type: 'malformed', reason: 'no message has the code 200' },
    ])
  })
})

it('the example in docs/protocol.md is what is sent', () => {
  const text = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8')
  const example = /## An example.*?```\n([0-9a-f ]+)\n```/s.exec(text)![1]!
  const wire = toWire({ type: 'appended', term: 258, match: 3 })
  expect(Buffer.from(wire).toString('hex')).toBe(example.replaceAll(' ', ''))
})
