import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, headLength, unsendable, writeHead } from '../../adapters/transport/codec.ts'
import type { Malformed } from '../../adapters/transport/malformed.ts'
import { DiskLost, InvariantError } from '../../lib/errors.ts'
import type { Message } from '../../lib/messages.ts'
import { candidate, follower, leader, precandidate, type Server } from '../lib/bench/server.ts'
import { anything } from './anything.ts'

const past = { log: [1, 1, 2], term: 2 }
const roles: Readonly<Record<string, () => Server>> = {
  follower: () => follower(past),
  precandidate: () => precandidate(past),
  candidate: () => candidate(past),
  leader: () => leader(past),
}

/** What contradicts the safety of the protocol itself, for which a server stops rather than go on. */
const CONTRADICTION = /both lead in term|is committed and would be replaced/

/** Gives a server a message, and says what was thrown; its disk keeps up now and then. */
function give(server: Server, from: string, message: Message): unknown {
  try {
    server.receive(from, message)
    if (server.disk.pending.length > 2) server.saveAll()
    return undefined
  } catch (error) {
    return error
  }
}

const turns = fc.array(
  fc.record({
    from: fc.constantFrom('b', 'c', 'a', 'stranger', '__proto__'),
    message: anything,
    wait: fc.nat(300),
  }),
  { minLength: 1, maxLength: 12 },
)

describe('a server', () => {
  it.each(Object.entries(roles))(
    'that is a %s survives any messages, but for those that contradict what is safe [F58]',
    (_, make) => {
      fc.assert(
        fc.property(turns, (said) => {
          const server = make()
          for (const { from, message, wait } of said) {
            const { term, commitIndex } = server.state
            server.now += wait
            const thrown = give(server, from, message)
            if (thrown !== undefined) {
              if (thrown instanceof DiskLost) return
              expect(thrown).toBeInstanceOf(InvariantError)
              expect((thrown as Error).message).toMatch(CONTRADICTION)
              return
            }
            expect(server.state.term).toBeGreaterThanOrEqual(term)
            expect(server.state.commitIndex).toBeGreaterThanOrEqual(commitIndex)
            expect(server.state.commitIndex).toBeLessThanOrEqual(server.state.log.lastIndex)
          }
        }),
        { numRuns: 1_000 },
      )
    },
  )

  it('drops and counts what comes from itself, from strangers and for somebody else [F58]', () => {
    fc.assert(
      fc.property(anything, fc.constantFrom('a', 'stranger', ''), (message, from) => {
        // Who leads, or wants to, may be of a configuration that this server has not heard of (§6).
        fc.pre(
          from === 'a' || !['requestVote', 'append', 'heartbeat', 'install'].includes(message.type),
        )
        const server = follower(past)
        const before = server.state
        const step = server.receive(from, message)
        expect(step).toMatchObject({ send: [], save: undefined })
        expect(server.state).toEqual({ ...before, dropped: before.dropped + 1 })
      }),
    )
  })

  it('never says what a peer would refuse, whatever it was told [F58]', () => {
    fc.assert(
      fc.property(turns, (said) => {
        const server = leader(past)
        for (const { from, message } of said) {
          const below = server.state.term < 2 ** 52 && message.term < 2 ** 52
          if (!below) return
          try {
            for (const envelope of server.receive(from, message).send) {
              expect(unsendable(envelope.message)).toBeUndefined()
            }
          } catch (error) {
            if (error instanceof InvariantError || error instanceof DiskLost) return
            throw error
          }
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('what the codec lets through', () => {
  const encoded = (message: Message): Message | Malformed => {
    const head = new Uint8Array(headLength(message))
    writeHead(message, head, 0)
    const batches = message.type === 'append' ? message.batches : []
    const bodies = message.type === 'forward' ? [message] : batches
    return decode(head, Uint8Array.from(Buffer.concat(bodies.map(({ bytes }) => bytes))))
  }

  it('is what it would send itself, whatever the fields are [F58]', () => {
    fc.assert(
      fc.property(anything, (message) => {
        const arrived = encoded(message)
        const isLegal = unsendable(message) === undefined
        expect(arrived.type === 'malformed').toBe(!isLegal)
        if (isLegal) expect(arrived).toEqual(message)
      }),
      { numRuns: 2_000 },
    )
  })
})
