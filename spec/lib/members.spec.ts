import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeMembers,
  encodeMembers,
  foundingMembers,
  resolve,
  serversOf,
} from '../../lib/members.ts'
import type { Members } from '../../lib/types.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const name = fc.string({ minLength: 1, unit: 'grapheme' })
const names = (minLength: number) =>
  fc
    .uniqueArray(name, { minLength, maxLength: 9 })
    .map((ids) => ids.sort((a, b) => (a < b ? -1 : 1)))

const members: fc.Arbitrary<Members> = fc
  .record(
    {
      index: fc.maxSafeNat(),
      voters: names(1),
      outgoing: names(0),
      learners: names(0),
      addresses: fc.dictionary(name, fc.string(), { noNullPrototype: true }),
    },
    { noNullPrototype: true },
  )
  .chain((record) => {
    const servers = serversOf({ ...record, witnesses: [] })
    return fc.subarray([...servers]).map((witnesses) => ({ ...record, witnesses }))
  })

const text = '{"index":0,"voters":["a","b"],"outgoing":[],"learners":["c"],"addresses":{"a":"x:1"}}'
const some = { ...foundingMembers(['a', 'b'], { a: 'x:1' }), learners: ['c'] }

describe('a configuration as bytes', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(members, (any) => {
        expect(decodeMembers(encodeMembers(any))).toEqual(any)
      }),
    )
  })

  it('can be read by people', () => {
    expect(new TextDecoder().decode(encodeMembers(some))).toBe(text)
    expect(decodeMembers(utf8(text))).toEqual(some)
  })

  it('names witnesses at its end, where there are any', () => {
    const more = `${text.slice(0, -1)},"witnesses":["b","c"]}`
    expect(new TextDecoder().decode(encodeMembers({ ...some, witnesses: ['b', 'c'] }))).toBe(more)
    expect(decodeMembers(utf8(more))).toEqual({ ...some, witnesses: ['b', 'c'] })
  })

  it.each([
    ['nothing', ''],
    ['no JSON', 'voters'],
    ['JSON of something else', '[]'],
    ['null', 'null'],
    ['no index', text.replace('"index":0,', '')],
    ['a broken index', text.replace(':0', ':0.5')],
    ['an index below nothing', text.replace(':0', ':-1')],
    ['no voters', text.replace('"a","b"', '')],
    ['voters that are no array', text.replace('["a","b"]', '"ab"')],
    ['voters without names', text.replace('"a","b"', '1,2')],
    ['an empty name', text.replace('"a","b"', '"","a"')],
    ['a repetition', text.replace('"a","b"', '"a","a"')],
    ['another order', text.replace('"a","b"', '"b","a"')],
    ['an address that is none', text.replace('"x:1"', '1')],
    ['another way to write the same', text.replace('{"index"', '{ "index"')],
    ['a list of witnesses without any', `${text.slice(0, -1)},"witnesses":[]}`],
    ['a witness that is no server', `${text.slice(0, -1)},"witnesses":["x"]}`],
    ['witnesses in another order', `${text.slice(0, -1)},"witnesses":["b","a"]}`],
    ['something besides', text.replace('"outgoing"', '"more":1,"outgoing"')],
  ])('is none when it is %s', (_, broken) => {
    expect(broken).not.toBe(text)
    expect(decodeMembers(utf8(broken))).toBeUndefined()
  })

  it('is none when it is not UTF-8', () => {
    const bytes = utf8(text)
    bytes[22] = 0xff
    expect(decodeMembers(bytes)).toBeUndefined()
  })

  it('whatever the bytes, nothing is thrown', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeMembers(bytes)))
  })
})

describe('a plan', () => {
  const abc = { ...foundingMembers(['a', 'b', 'c'], { a: '1', b: '2', c: '3' }), learners: ['l'] }

  it.each([
    ['a voter more', { voters: ['d'], addresses: { d: '4' } }, 'abcd', 'l', '1234'],
    ['a learner that is to vote', { voters: ['l'] }, 'abcl', '', '123'],
    ['a voter that is to listen', { learners: ['c'] }, 'ab', 'cl', '123'],
    ['one that leaves', { remove: ['b'] }, 'ac', 'l', '13'],
    ['a learner that leaves', { remove: ['l'] }, 'abc', '', '123'],
    ['one that comes and leaves', { voters: ['d'], remove: ['d'] }, 'abc', 'l', '123'],
    ['another address', { addresses: { a: '9', z: '7' } }, 'abc', 'l', '923'],
  ])('is relative: %s', (_what, plan, voters, learners, addresses) => {
    const target = resolve(abc, plan)
    expect(target.voters.join('')).toBe(voters)
    expect(target.learners.join('')).toBe(learners)
    expect(Object.values(target.addresses).join('')).toBe(addresses)
  })

  it('names every server of some configurations once', () => {
    expect(serversOf(abc, { ...abc, outgoing: ['z', 'a'] })).toEqual(['a', 'b', 'c', 'l', 'z'])
  })
})
