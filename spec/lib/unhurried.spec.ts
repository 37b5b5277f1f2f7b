import { describe, expect, it } from 'vitest'
import type { Message } from '../../lib/messages.ts'
import { isUnhurried } from '../../lib/unhurried.ts'
import { follower, leader, proposal, received, type Server } from './bench/server.ts'

const reply = (term: number): Message => ({ type: 'heartbeatReply', term, round: 1 })

/** A leader of term 2 whose followers have everything. */
function atRest(): Server {
  const server = leader({ log: [1] })
  for (const id of ['b', 'c']) server.receive(id, { type: 'appended', term: 2, match: 2 })
  server.take({ type: 'heartbeatTimeout' })
  return server
}

const mayWait = (server: Server, message: Message, from = 'b'): boolean =>
  isUnhurried(server.state, { ...received(from, 'a', message), at: 0 })

describe('an answer to a pulse', () => {
  it('may wait while nobody waits for it', () => {
    expect(mayWait(atRest(), reply(2))).toBe(true)
  })

  it('is in a hurry when a read waits for a quorum', () => {
    const server = atRest()
    server.take({ type: 'read', ticket: 1 })
    expect(mayWait(server, reply(2))).toBe(false)
  })

  it('is in a hurry when a lease rests on it', () => {
    const server = atRest()
    server.state = { ...server.state, config: { ...server.config, lease: 100 } }
    expect(mayWait(server, reply(2))).toBe(false)
  })

  it('is in a hurry when it may tell of a loss', () => {
    const server = atRest()
    server.take(proposal(1, 'x'))
    expect(mayWait(server, reply(2))).toBe(false)
  })

  it('is in a hurry when it is of another term, or of nobody who is known', () => {
    expect(mayWait(atRest(), reply(3))).toBe(false)
    expect(mayWait(atRest(), reply(2), 'stranger')).toBe(false)
  })

  it('is the only message that may wait, and only at a leader', () => {
    expect(mayWait(atRest(), { type: 'appended', term: 2, match: 2 })).toBe(false)
    expect(mayWait(follower({ term: 2 }), reply(2))).toBe(false)
    expect(isUnhurried(atRest().state, { type: 'heartbeatTimeout', at: 0 })).toBe(false)
  })
})
