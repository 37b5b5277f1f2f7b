import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  HEADER_BYTES,
  RequestReader,
  SessionExpired,
  writeOpening,
  writeRequest,
} from '../../lib/sessions.ts'

const integer = fc.nat(Number.MAX_SAFE_INTEGER)

it('a request comes back from its bytes, wherever they lie', () => {
  const request = fc.record({
    session: fc.record({
      index: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      term: integer,
    }),
    sequence: integer,
    lowest: integer,
  })
  fc.assert(
    fc.property(request, fc.uint8Array({ maxLength: 9 }), fc.nat(5), (its, command, at) => {
      const bytes = new Uint8Array(at + HEADER_BYTES + command.length)
      writeRequest(bytes, at, its)
      bytes.set(command, at + HEADER_BYTES)
      expect(new RequestReader().read(bytes, at, bytes.length)).toEqual(its)
    }),
  )
})

it('so does what opens a session', () => {
  fc.assert(
    fc.property(integer, integer, integer, (sessions, results, entries) => {
      const bytes = new Uint8Array(HEADER_BYTES)
      writeOpening(bytes, 0, { sessions, results, entries })
      const limits = { sessions, results, entries }
      expect(new RequestReader().read(bytes, 0, bytes.length)).toEqual(limits)
    }),
  )
})

it('the header is four integers of 8 bytes, little endian', () => {
  const bytes = new Uint8Array(HEADER_BYTES)
  writeRequest(bytes, 0, { session: { index: 258, term: 3 }, sequence: 4, lowest: 2 ** 40 })
  expect([...bytes]).toEqual([
    ...[2, 1, 0, 0, 0, 0, 0, 0],
    ...[3, 0, 0, 0, 0, 0, 0, 0],
    ...[4, 0, 0, 0, 0, 0, 0, 0],
    ...[0, 0, 0, 0, 0, 1, 0, 0],
  ])
})

it('what is too short for a header is nothing', () => {
  const bytes = new Uint8Array(HEADER_BYTES + 1)
  expect(new RequestReader().read(bytes, 2, bytes.length)).toBeUndefined()
  expect(new RequestReader().read(bytes, 0, HEADER_BYTES - 1)).toBeUndefined()
})

it('a session that has expired may be tried again where nothing can have happened', () => {
  expect(new SessionExpired(7, 'none')).toMatchObject({
    ...{ code: 'session-expired', retryable: true, outcome: 'none', session: 7 },
    message: 'session 7 has expired: the command did not take effect',
  })
  expect(new SessionExpired(7, 'unknown')).toMatchObject({ retryable: false, outcome: 'unknown' })
})
