import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bodyLength,
  decode,
  headLength,
  unsendable,
  writeHead,
} from '../../../adapters/transport/codec.ts'
import type { Malformed } from '../../../adapters/transport/malformed.ts'
import { pack, type Batch } from '../../../lib/batch.ts'
import type { Append, Message } from '../../../lib/messages.ts'
import { anyMessage, bigAppend } from './messages.ts'

interface Parts {
  readonly head: Uint8Array
  readonly body: Uint8Array
}

function encode(message: Message): Parts {
  const head = new Uint8Array(headLength(message))
  expect(writeHead(message, head, 0)).toBe(head.length)
  const body = Uint8Array.from(Buffer.concat(bodiesOf(message)))
  expect(body.length).toBe(bodyLength(message))
  return { head, body }
}

function bodiesOf(message: Message): readonly Uint8Array[] {
  if (message.type === 'install' || message.type === 'forward') return [message.bytes]
  return message.type === 'append' ? message.batches.map(({ bytes }) => bytes) : []
}

const reencode = (message: Message): Message | Malformed => {
  const { head, body } = encode(message)
  return decode(head, body)
}

const reasonOf = (decoded: Message | Malformed): string =>
  decoded.type === 'malformed' ? decoded.reason : 'accepted'

describe('a message', () => {
  it('is decoded as it was encoded', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(unsendable(message)).toBeUndefined()
        expect(reencode(message)).toStrictEqual(message)
      }),
    )
  })

  it('has one encoding: what decodes to a message is what that message encodes to', () => {
    const mutation = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(anyMessage, mutation, (message, changes) => {
        const { head, body } = encode(message)
        for (const [at, value] of changes) head[at % head.length] = value
        const decoded = decode(head, body)
        if (decoded.type === 'malformed') return
        expect(unsendable(decoded)).toBeUndefined()
        expect(encode(decoded)).toEqual({ head, body })
      }),
      { numRuns: 1_000 },
    )
  })

  it('is decoded without a copy of its entries', () => {
    const { head, body } = encode(bigAppend(10, 100))
    const [batch] = (decode(head, body) as Append).batches
    expect(batch!.bytes.buffer).toBe(body.buffer)
  })
})

describe('a stranger’s bytes', () => {
  it('never throw, and never become anything but a legal message [F55] [F57] [F58]', () => {
    const bytes = fc.uint8Array({ maxLength: 120 })
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 18 }), bytes, (head, code, body) => {
        if (head.length > 0) head[0] = code
        const decoded = decode(head, body)
        if (decoded.type === 'malformed') expect(decoded.reason).toMatch(/\w/)
        else expect(unsendable(decoded)).toBeUndefined()
      }),
      { numRuns: 3_000 },
    )
  })

  it('are refused when they stop early or go on for too long [F55]', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const { head, body } = encode(message)
        for (let length = 0; length < head.length; length++) {
          expect(decode(head.subarray(0, length), body).type).toBe('malformed')
        }
        expect(decode(Uint8Array.from([...head, 0]), body).type).toBe('malformed')
        expect(decode(head, Uint8Array.from([...body, 0])).type).toBe('malformed')
        if (body.length > 0) expect(decode(head, body.subarray(1)).type).toBe('malformed')
      }),
      { numRuns: 50 },
    )
  })

  it('are refused when the type or the kind of entry is unknown [F57]', () => {
    const { head, body } = encode(bigAppend(1, 1))
    expect(reasonOf(decode(Uint8Array.from([0, ...head.subarray(1)]), body))).toMatch(/code 0/)
    expect(reasonOf(decode(Uint8Array.from([99, ...head.subarray(1)]), body))).toMatch(/code 99/)
    expect(reasonOf(decode(new Uint8Array(0), body))).toMatch(/nothing/)
    const kind = head.slice()
    kind[head.length - 9] = 7
    expect(reasonOf(decode(kind, body))).toMatch(/kind of entry has the code 7/)
  })

  it('are refused when an integer is 2^53 or more [F54]', () => {
    const { head, body } = encode({ type: 'appended', term: 1, match: Number.MAX_SAFE_INTEGER })
    expect(decode(head, body)).toEqual({ type: 'appended', term: 1, match: 2 ** 53 - 1 })
    head[9 + 6] = 0x20
    expect(reasonOf(decode(head, body))).toMatch(/match is above 9007199254740991/)
  })

  it('are refused when a flag is neither 0 nor 1', () => {
    const { head, body } = encode({ type: 'vote', term: 1, pre: true, granted: true })
    head[9] = 2
    expect(reasonOf(decode(head, body))).toMatch(/pre is 2/)
  })

  it('are refused when a row claims more entries or bytes than there are [F53]', () => {
    const { head, body } = encode(bigAppend(2, 8))
    const count = head.slice()
    count.set([255, 255, 255, 255], head.length - 8)
    expect(reasonOf(decode(count, body))).toMatch(/is not 4294967295 entries/)
    const length = head.slice()
    length.set([255, 255, 255, 255], head.length - 4)
    expect(reasonOf(decode(length, body))).toMatch(/shorter than its batches/)
    const rows = head.slice()
    rows.set([255, 255, 255, 255], 33)
    expect(reasonOf(decode(rows, body))).toMatch(/no room for exactly 4294967295 batches/)
  })
})

describe('entries without their commands', () => {
  const append = (bytes: Uint8Array): Append => ({
    ...{ type: 'append', term: 1, prevIndex: 0, prevTerm: 0, commit: 0 },
    batches: [{ index: 1, term: 1, kind: 'withheld', count: 2, bytes }],
  })

  it('have the kind 4, and a length of nothing for each', () => {
    const { head, body } = encode(append(new Uint8Array(8)))
    expect([head[head.length - 9], [...body]]).toEqual([4, [0, 0, 0, 0, 0, 0, 0, 0]])
    expect(decode(head, body)).toEqual(append(new Uint8Array(8)))
  })

  it('are refused when they have any [F58]', () => {
    const { head, body } = encode(append(pack([Uint8Array.of(7), new Uint8Array()])))
    expect(reasonOf(decode(head, body))).toMatch(/the batch at 1 is not 2 entries/)
  })
})

describe('fields that contradict each other', () => {
  const batch = (index: number, term: number, count = 1): Batch => ({
    index,
    term,
    kind: 'command',
    count,
    bytes: pack(Array.from({ length: count }, () => Uint8Array.of(1))),
  })
  const append = (change: Partial<Append>): Append => ({
    type: 'append',
    term: 5,
    prevIndex: 10,
    prevTerm: 3,
    batches: [batch(11, 3, 2), batch(13, 4)],
    commit: 10,
    ...change,
  })
  const top = Number.MAX_SAFE_INTEGER

  it.each<[string, Message, RegExp]>([
    ['a gap', append({ batches: [batch(11, 3), batch(13, 3)] }), /begins at 13, not at 12/],
    ['an overlap', append({ batches: [batch(11, 3, 2), batch(12, 3)] }), /at 12, not at 13/],
    ['entries not after prev', append({ batches: [batch(12, 3)] }), /begins at 12, not at 11/],
    ['a falling term', append({ batches: [batch(11, 4), batch(12, 3)] }), /falls from 4 to 3/],
    ['a term below prev', append({ batches: [batch(11, 2)] }), /falls from 3 to 2/],
    ['a term of the future', append({ batches: [batch(11, 6)] }), /6 is after term 5/],
    ['a prev of the future', append({ prevTerm: 6, batches: [] }), /prevTerm 6 is after/],
    ['a term before the first', append({ prevIndex: 0, batches: [] }), /prevTerm is 3 at/],
    [
      'no entries',
      append({ batches: [{ ...batch(11, 3), count: 0, bytes: pack([]) }] }),
      /no entr/,
    ],
    [
      'too many',
      append({ prevIndex: top - 1, batches: [batch(top, 3, 2)] }),
      /2 entries are too many/,
    ],
    [
      'a candidate of the past',
      { type: 'requestVote', term: 3, pre: false, handedOver: false, lastIndex: 9, lastTerm: 4 },
      /lastTerm 4 is after term 3/,
    ],
    [
      'a candidate with a term and no log',
      { type: 'requestVote', term: 3, pre: true, handedOver: false, lastIndex: 0, lastTerm: 1 },
      /lastTerm is 1 at lastIndex 0/,
    ],
    [
      'a hint after what was refused',
      { type: 'rejected', term: 3, prevIndex: 4, hintIndex: 5, hintTerm: 1 },
      /hintIndex 5 is after prevIndex 4/,
    ],
    [
      'a hint of the future',
      { type: 'rejected', term: 3, prevIndex: 4, hintIndex: 4, hintTerm: 4 },
      /hintTerm 4 is after term 3/,
    ],
    [
      'a fingerprint of nothing',
      { type: 'fingerprint', term: 3, index: 0, value: 'x' },
      /a fingerprint of nothing/,
    ],
    ...['', 'x y', 'x'.repeat(65)].map((value): [string, Message, RegExp] => [
      `the fingerprint "${value}"`,
      { type: 'fingerprint', term: 3, index: 1, value },
      /is none/,
    ]),
  ])('%s is neither sent nor received [F58]', (_, message, reason) => {
    expect(unsendable(message)).toMatch(reason)
    expect(reasonOf(reencode(message))).toMatch(reason)
  })

  it.each([NaN, Infinity, -1, 0.5, 2 ** 53, '1', undefined])('%s is not sent [F54]', (value) => {
    const round = value as number
    expect(unsendable({ type: 'heartbeat', term: 1, commit: 0, commitTerm: 0, round })).toMatch(
      /round is/,
    )
    expect(unsendable(append({ batches: [{ ...batch(11, 3), term: round }] }))).toMatch(/term/)
  })
})

it('a type that the protocol does not have is not sent', () => {
  for (const type of ['__proto__', 'constructor', 'gossip']) {
    expect(unsendable({ type } as unknown as Message)).toMatch(/unknown/)
  }
})
