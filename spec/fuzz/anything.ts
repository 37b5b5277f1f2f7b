import fc from 'fast-check'
import type { Batch } from '../../lib/batch.ts'
import type { Message } from '../../lib/messages.ts'
import { batchOf } from '../lib/bench/entries.ts'

/** Integers as a wire may carry them: small ones, which hit something, and the largest. */
const integer = fc.oneof(
  { weight: 8, arbitrary: fc.nat(6) },
  { weight: 1, arbitrary: fc.constant(Number.MAX_SAFE_INTEGER) },
  { weight: 1, arbitrary: fc.maxSafeNat() },
)

const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(fields, { noNullPrototype: true })

const batch: fc.Arbitrary<Batch> = record({
  index: integer,
  term: integer,
  count: fc.nat(3),
}).map(({ index, term, count }) =>
  batchOf(
    index,
    term,
    Array.from({ length: count }, (_, i) => `${i}`),
  ),
)

/** Batches that follow each other, as most do, or any. */
const batches = fc.oneof(
  fc.array(batch, { maxLength: 3 }),
  fc.tuple(integer, fc.array(fc.nat(3), { maxLength: 3 })).map(([first, rises]) => {
    let index = first
    let term = 0
    return rises.map((rise) => batchOf(++index, (term += rise), ['x']))
  }),
)

type Fields<T extends Message['type']> = Omit<Extract<Message, { type: T }>, 'type'>

const messageOf = <T extends Message['type']>(
  type: T,
  fields: { [K in keyof Fields<T>]: fc.Arbitrary<Fields<T>[K]> },
): fc.Arbitrary<Message> =>
  record<Fields<T>>(fields).map((values) => ({ type, ...values }) as unknown as Message)

const boolean = fc.boolean()

/** Every form of message with any fields, whether a server would say it or not. */
export const anything: fc.Arbitrary<Message> = fc.oneof(
  messageOf('requestVote', {
    term: integer,
    pre: boolean,
    handedOver: boolean,
    lastIndex: integer,
    lastTerm: integer,
  }),
  messageOf('vote', { term: integer, pre: boolean, granted: boolean }),
  messageOf('append', {
    term: integer,
    prevIndex: integer,
    prevTerm: integer,
    batches,
    commit: integer,
  }),
  messageOf('appended', { term: integer, match: integer }),
  messageOf('rejected', {
    term: integer,
    prevIndex: integer,
    hintIndex: integer,
    hintTerm: integer,
  }),
  messageOf('heartbeat', { term: integer, commit: integer, commitTerm: integer, round: integer }),
  messageOf('heartbeatReply', { term: integer, round: integer }),
  messageOf('readIndex', { term: integer, ticket: integer }),
  messageOf('readIndexReply', { term: integer, ticket: integer, index: integer }),
  messageOf('forward', {
    ...{ term: integer, channel: integer, sequence: integer, lowest: integer },
    ...{ isRequest: boolean, count: fc.constant(2), bytes: fc.constant(new Uint8Array(8)) },
  }),
  messageOf('forwarded', { term: integer, channel: integer, sequence: integer, index: integer }),
  messageOf('declined', {
    ...{ term: integer, channel: integer, sequence: integer },
    ...{ isShortOfSpace: boolean, isLeaving: boolean },
  }),
)

/** What a hand on the wire or the disk does to bytes. */
export type Damage =
  | { readonly type: 'flip'; readonly at: number; readonly bit: number }
  | { readonly type: 'cut'; readonly at: number }
  | {
      readonly type: 'splice'
      readonly at: number
      readonly removed: number
      readonly added: Uint8Array
    }
  | { readonly type: 'huge'; readonly at: number; readonly width: 1 | 2 | 4 | 8 }
  | { readonly type: 'zero'; readonly at: number; readonly length: number }

export const damage: fc.Arbitrary<Damage> = fc.oneof(
  record({ type: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(7) }),
  record({ type: fc.constant('cut' as const), at: fc.nat() }),
  record({
    type: fc.constant('splice' as const),
    at: fc.nat(),
    removed: fc.nat(20),
    added: fc.uint8Array({ maxLength: 20 }),
  }),
  record({
    type: fc.constant('huge' as const),
    at: fc.nat(),
    width: fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const),
  }),
  record({ type: fc.constant('zero' as const), at: fc.nat(), length: fc.nat(40) }),
)

/** The bytes after it; places are taken modulo their length. */
export function damaged(bytes: Uint8Array, it: Damage): Uint8Array {
  const at = it.at % (bytes.length + 1)
  switch (it.type) {
    case 'flip':
      return bytes.map((byte, i) => (i === at ? byte ^ (1 << it.bit) : byte))
    case 'cut':
      return bytes.slice(0, at)
    case 'splice':
      return Uint8Array.from([
        ...bytes.subarray(0, at),
        ...it.added,
        ...bytes.subarray(at + it.removed),
      ])
    case 'huge':
      return bytes.map((byte, i) => (i >= at && i < at + it.width ? 0xff : byte))
    case 'zero':
      return bytes.map((byte, i) => (i >= at && i < at + it.length ? 0 : byte))
  }
}
