import { describe, expect, it } from 'vitest'
import { entriesOf } from './bench/entries.ts'
import { leader, messagesOf, proposal, type Server } from './bench/server.ts'

const appended = (match: number) => ({ type: 'appended', term: 2, match }) as const
const rejected = (prevIndex: number, hintIndex: number, hintTerm: number) =>
  ({ type: 'rejected', term: 2, prevIndex, hintIndex, hintTerm }) as const
const pulseReply = (round: number) => ({ type: 'heartbeatReply', term: 2, round }) as const

/** A command of ten bytes in the log. */
const ten = (ticket: number) => proposal(ticket, 'six...')

/** A leader of term 2 whose follower b holds all of its log, which ends with entry 2. */
function inStep(options: Parameters<typeof leader>[0] = {}): Server {
  const server = leader({ log: [1], ...options })
  server.receive('b', appended(2))
  server.take({ type: 'applied', index: 2, batches: [] })
  return server
}

describe('the limit of uncommitted bytes', () => {
  const answerTo = (server: Server, ticket: number) => server.take(ten(ticket)).answers[0]?.type

  it('is one to be passed, not to be reached', () => {
    const server = inStep({ maxUncommittedBytes: 10 })
    expect([1, 2, 3].map((ticket) => answerTo(server, ticket))).toEqual([
      'accepted',
      'accepted',
      'overloaded',
    ])
  })

  it('counts what the others have committed and this disk does not hold', () => {
    const server = inStep({ maxUncommittedBytes: 9 })
    server.take(ten(1))
    server.receive('b', appended(3))
    server.receive('c', appended(3))
    expect(server.state.commitIndex).toBe(3)
    server.take({ type: 'applied', index: 3, batches: [] })
    expect(answerTo(server, 2)).toBe('overloaded')
    server.saveAll()
    expect(answerTo(server, 3)).toBe('accepted')
  })

  it('counts what is committed and the machine has not applied [bug 52]', () => {
    const server = inStep({ maxUncommittedBytes: 9 })
    server.take(ten(1))
    server.saveAll()
    server.receive('b', appended(3))
    expect(server.state.commitIndex).toBe(3)
    expect(answerTo(server, 2)).toBe('overloaded')
    server.take({ type: 'applied', index: 3, batches: [] })
    expect(answerTo(server, 3)).toBe('accepted')
  })

  it('counts what this disk holds and the others have not committed', () => {
    const server = inStep({ maxUncommittedBytes: 9 })
    server.take(ten(1))
    server.saveAll()
    expect(answerTo(server, 2)).toBe('overloaded')
  })
})

describe('the window', () => {
  const sentToB = (server: Server, ...tickets: readonly number[]) =>
    messagesOf(server.take(...tickets.map(ten)), 'b').length

  it('is full when as many bytes are in flight as may be', () => {
    const server = inStep({ maxInflightBytes: 10 })
    expect([sentToB(server, 1), sentToB(server, 2)]).toEqual([1, 0])
  })

  it('is opened by an acknowledgement only for what that speaks of', () => {
    const server = inStep({ maxInflightMessages: 2, maxAppendBytes: 10 })
    expect(sentToB(server, 1, 2, 3, 4)).toBe(2)
    const sent = messagesOf(server.receive('b', appended(3)), 'b')
    expect(sent).toMatchObject([{ type: 'append', prevIndex: 4 }])
    expect(server.progress('b').inflight.map(({ last }) => last)).toEqual([4, 5])
  })
})

describe('a refusal', () => {
  /** Three messages are in flight to b, which holds the log through entry 2. */
  function pipelining(): Server {
    const server = inStep()
    for (const ticket of [1, 2, 3]) server.take(ten(ticket))
    return server
  }

  it('of any message in flight is heeded, and what was acknowledged still counts', () => {
    const server = pipelining()
    const [again] = messagesOf(server.receive('b', rejected(3, 2, 2)), 'b')
    expect(server.progress('b')).toMatchObject({ match: 2, next: 3, probing: true })
    expect(again).toMatchObject({ type: 'append', prevIndex: 2 })
    expect(again?.type === 'append' && entriesOf(again.batches)).toHaveLength(3)
  })

  it.each([1, 2])(
    'of acknowledged entry %i, while looking further on, tells of a loss',
    (index) => {
      const server = pipelining()
      server.receive('b', rejected(4, 3, 2))
      expect(server.progress('b')).toMatchObject({ match: 2, next: 4, probing: true })
      server.receive('b', rejected(index, 0, 0))
      expect(server.progress('b')).toMatchObject({ match: 0, next: 1, probing: true })
    },
  )

  it('that is old is a sign of life all the same', () => {
    const server = pipelining()
    server.receive('b', rejected(4, 3, 2))
    const before = server.progress('b')
    server.now += 7
    server.receive('b', rejected(4, 3, 2))
    expect(server.progress('b')).toEqual({ ...before, contact: server.now })
  })

  it('of what is committed takes no commit back, and sends one message at a time', () => {
    const server = pipelining()
    server.saveAll()
    server.receive('b', appended(5))
    server.receive('c', appended(4))
    expect(server.state.commitIndex).toBe(5)
    server.receive('b', rejected(5, 1, 1))
    expect(server.progress('b')).toMatchObject({ match: 0, next: 2, probing: true })
    expect(server.state.commitIndex).toBe(5)
  })
})

describe('a pulse', () => {
  it('makes no read wait longer that waits for an earlier one', () => {
    const server = inStep()
    server.take(ten(1))
    server.saveAll()
    server.receive('b', appended(3))
    server.take({ type: 'read', ticket: 7 })
    const { round } = server.leader
    server.take({ type: 'heartbeatTimeout' })
    expect(server.leader.round).toBe(round + 1)
    expect(server.receive('b', pulseReply(round)).state.confirmed).toEqual([
      { ticket: 7, index: 3 },
    ])
  })

  it('leaves nothing untold, though a follower holds less than is committed', () => {
    const server = inStep()
    expect(server.progress('c').match).toBe(0)
    server.take({ type: 'heartbeatTimeout' })
    expect(server.leader.untold).toBeUndefined()
  })
})
