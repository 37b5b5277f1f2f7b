import fc from 'fast-check'
import { pack, type Batch, type Kind } from '../../../lib/batch.ts'
import type { Append, Message } from '../../../lib/messages.ts'
import { foundingMembers } from '../../../lib/members.ts'

/** Objects as the engine makes them. */
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(fields, { noNullPrototype: true })

const integer = fc.oneof(fc.nat(300), fc.maxSafeNat())

/** A term, and one that is not after it. */
const terms = fc.tuple(integer, integer).map(([x, y]) => [Math.max(x, y), Math.min(x, y)] as const)

/** A place in a log: before the first entry there is no term. */
const place = fc
  .tuple(integer, terms)
  .map(([index, [term, earlier]]) => ({ index, term, earlier: index === 0 ? 0 : earlier }))

const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 })

const kinds = fc.constantFrom<Kind>('command', 'noop', 'request', 'withheld')

const rows = fc.array(record({ payloads, kind: kinds, rise: fc.nat(3) }), {
  maxLength: 4,
})

const append: fc.Arbitrary<Append> = record({
  prevIndex: fc.nat(2 ** 40),
  prevTerm: fc.nat(2 ** 40),
  rows,
  commit: integer,
}).map(({ prevIndex, prevTerm, rows, commit }) => {
  const batches: Batch[] = []
  let index = prevIndex + 1
  let term = prevIndex === 0 ? 0 : prevTerm
  for (const { payloads, kind, rise } of rows) {
    term += rise
    const count = payloads.length
    const bytes = kind === 'withheld' ? new Uint8Array(4 * count) : pack(payloads)
    batches.push({ index, term, kind, count, bytes })
    index += count
  }
  const first = prevIndex === 0 ? 0 : prevTerm
  return { type: 'append', term: term + 1, prevIndex, prevTerm: first, batches, commit }
})

/** Every message that a server may send. */
export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  record({ place, pre: fc.boolean() }).map(({ place, pre }): Message => ({
    type: 'requestVote',
    term: place.term,
    pre,
    handedOver: false,
    lastIndex: place.index,
    lastTerm: place.earlier,
  })),
  record({ type: fc.constant('roundTrip' as const), term: integer, ms: integer }),
  record({
    type: fc.constant('vote' as const),
    term: integer,
    pre: fc.boolean(),
    granted: fc.boolean(),
  }),
  append,
  record({ type: fc.constant('appended' as const), term: integer, match: integer }),
  fc.tuple(place, integer).map(([{ index, term, earlier }, after]): Message => ({
    type: 'rejected',
    term,
    prevIndex: Math.max(index, after),
    hintIndex: index,
    hintTerm: earlier,
  })),
  record({ place, round: integer }).map(({ place, round }): Message => ({
    type: 'heartbeat',
    term: place.term,
    commit: place.index,
    commitTerm: place.earlier,
    round,
  })),
  record({ type: fc.constant('heartbeatReply' as const), term: integer, round: integer }),
  record({ type: fc.constant('readIndex' as const), term: integer, ticket: integer }),
  record({
    type: fc.constant('readIndexReply' as const),
    term: integer,
    ticket: integer,
    index: integer,
  }),
  record({
    place,
    members: fc.uniqueArray(fc.stringMatching(/^[a-zé]{1,9}$/), { minLength: 1, maxLength: 7 }),
    offset: integer,
    bytes: fc.uint8Array({ maxLength: 10_000 }),
    isLast: fc.boolean(),
    checksum: fc.nat({ max: 2 ** 32 - 1 }),
  }).map(({ place: { term, index, earlier }, members, isLast, ...rest }): Message => ({
    ...{ type: 'install', term, index: Math.max(1, index), indexTerm: earlier, isLast, ...rest },
    members: {
      ...foundingMembers(members),
      index: 3,
      learners: ['x'],
      witnesses: isLast ? ['x'] : [],
      addresses: { x: 'there:1' },
    },
  })),
  record({ type: fc.constant('installed' as const), term: integer, index: integer, end: integer }),
  record({ type: fc.constant('timeoutNow' as const), term: integer }),
  record({
    type: fc.constant('fingerprint' as const),
    term: integer,
    index: integer.map((index) => Math.max(1, index)),
    value: fc.stringMatching(/^[!-~]{1,64}$/),
  }),
  record({
    ...{ term: integer, channel: integer, sequence: integer, isRequest: fc.boolean() },
    payloads: fc.array(fc.uint8Array({ maxLength: 100 }), { minLength: 1, maxLength: 5 }),
  }).map(({ payloads, ...rest }): Message => ({
    ...{ type: 'forward', ...rest, lowest: Math.floor(rest.sequence / 2) },
    ...{ count: payloads.length, bytes: pack(payloads) },
  })),
  record({
    type: fc.constant('forwarded' as const),
    ...{ term: integer, channel: integer, sequence: integer },
    index: fc.integer({ min: 1 }),
  }),
  record({
    type: fc.constant('declined' as const),
    ...{ term: integer, channel: integer, sequence: integer },
    ...{ isShortOfSpace: fc.boolean(), isLeaving: fc.constant(false) },
  }),
)

/** An append of one batch of `count` entries of `size` bytes. */
export function bigAppend(count: number, size: number, index = 1): Append {
  const payloads = Array.from({ length: count }, (_, i) => new Uint8Array(size).fill(i + index))
  const batch: Batch = { index, term: 2, kind: 'command', count, bytes: pack(payloads) }
  const prevTerm = index === 1 ? 0 : 2
  return { type: 'append', term: 2, prevIndex: index - 1, prevTerm, batches: [batch], commit: 0 }
}
