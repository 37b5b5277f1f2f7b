import { describe, expect, it } from 'vitest'
import { Diverged } from '../../lib/errors.ts'
import type { Message } from '../../lib/messages.ts'
import { commands } from '../operators/support.ts'
import { heartbeat } from './bench/messages.ts'
import { follower, leader, messagesOf, type Server } from './bench/server.ts'

/** The state machine has applied everything through `index` and taken these fingerprints. */
const apply = (server: Server, index: number, ...taken: readonly (readonly [number, string])[]) =>
  server.take({
    type: 'applied',
    index,
    batches: [
      {
        batch: commands(index, 1, 'x'),
        outcomes: [],
        ...(taken.length > 0 && {
          fingerprints: taken.map(([at, value]) => ({ index: at, value })),
        }),
      },
    ],
  })

const claim = (index: number, value: string, term = 2): Message => ({
  type: 'fingerprint',
  ...{ term, index, value },
})

/** A follower of `b`, which has heard of it. */
function led(): Server {
  const server = follower({ log: [1, 1, 1], term: 2 })
  server.receive('b', heartbeat(2, 0))
  return server
}

/** What the leader says with its next sixteen pulses besides. */
const told = (server: Server) =>
  Array.from({ length: 16 }, () => server.take({ type: 'heartbeatTimeout' }))
    .flatMap(({ send }) => send)
    .filter(({ message }) => message.type === 'fingerprint')

describe('a leader', () => {
  it('tells each follower its latest fingerprint, with every sixteenth pulse', () => {
    const server = leader({ log: [1, 1] })
    expect(told(server)).toEqual([])
    apply(server, 2, [1, 'one'], [2, 'two'])
    expect(told(server).map(({ to, message }) => [to, message])).toEqual([
      ['b', claim(2, 'two')],
      ['c', claim(2, 'two')],
    ])
  })

  it('is not judged by what others say', () => {
    const server = leader({ log: [1, 1] })
    apply(server, 2, [2, 'two'])
    expect(() => server.receive('b', claim(2, 'other'))).not.toThrow()
  })
})

describe('a follower', () => {
  it('that has another fingerprint than its leader stops, and says what to do [F9]', () => {
    const server = led()
    apply(server, 2, [2, 'own'])
    const diverged = new Diverged(2, 'own', 'other', 'b')
    expect(() => server.receive('b', claim(2, 'other'))).toThrow(diverged)
    expect(diverged).toMatchObject({ code: 'diverged', index: 2, own: 'own', expected: 'other' })
    expect(diverged.message).toMatch(/index 2 .*own.*leader b other.*new id/)
    expect(diverged.retryable).toBe(false)
  })

  it('that has the same goes on', () => {
    const server = led()
    apply(server, 2, [2, 'own'])
    expect(messagesOf(server.receive('b', claim(2, 'own')))).toEqual([])
  })

  it('compares when it has applied as much, also when more came with it [F9]', () => {
    const server = led()
    server.receive('b', claim(2, 'other'))
    apply(server, 1, [1, 'one'])
    expect(() => apply(server, 3, [2, 'own'], [3, 'three'])).toThrow(Diverged)
  })

  it('that is always behind waits for the first that it heard of [F9]', () => {
    const server = led()
    server.receive('b', claim(2, 'other'))
    server.receive('b', claim(3, 'three'))
    expect(() => apply(server, 2, [2, 'own'])).toThrow(Diverged)
  })

  it('waits for another when it took none there', () => {
    const server = led()
    server.receive('b', claim(2, 'other'))
    apply(server, 3, [3, 'three'])
    expect(server.state.fingerprints.awaited).toBeUndefined()
    expect(() => server.receive('b', claim(3, 'other'))).toThrow(Diverged)
  })

  it('remembers the last 64 for a leader that applies more slowly', () => {
    const server = led()
    for (let index = 1; index <= 65; index++) apply(server, index, [index, `${index}`])
    expect(() => server.receive('b', claim(1, 'other'))).not.toThrow()
    expect(() => server.receive('b', claim(2, 'other'))).toThrow(Diverged)
  })

  it('believes its leader alone, in its present term', () => {
    const server = led()
    apply(server, 2, [2, 'own'])
    expect(() => server.receive('c', claim(2, 'other'))).not.toThrow()
    expect(() => server.receive('b', claim(2, 'other', 1))).not.toThrow()
  })

  it('that has no state to speak of, as a witness, does not compare', () => {
    const server = led()
    const members = { ...server.state.members, witnesses: ['a'] }
    server.state = { ...server.state, members, isHollow: true }
    apply(server, 2, [2, 'own'])
    expect(() => server.receive('b', claim(2, 'other'))).not.toThrow()
    expect(server.state.fingerprints).toEqual({ taken: [], awaited: undefined })
  })
})
