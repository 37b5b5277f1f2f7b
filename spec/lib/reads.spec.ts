import { describe, expect, it } from 'vitest'
import type { Message } from '../../lib/messages.ts'
import { about, carrying, Cluster } from './bench/cluster.ts'
import { heartbeat } from './bench/messages.ts'
import {
  candidate,
  follower,
  leader,
  messagesOf,
  precandidate,
  type Server,
} from './bench/server.ts'

const reply = (term: number, round: number) => ({ type: 'heartbeatReply', term, round }) as const
const read = (ticket: number) => ({ type: 'read', ticket }) as const
const question = (term: number, ticket: number) => ({ type: 'readIndex', term, ticket }) as const
const confirmed = (term: number, ticket: number, index: number): Message => ({
  type: 'readIndexReply',
  term,
  ticket,
  index,
})

/** A leader of term 1 with its first entry committed and applied. */
function ready(voters = 'abc'): Server {
  const server = leader({ voters })
  for (const id of [...voters].slice(1)) server.receive(id, { type: 'appended', term: 1, match: 1 })
  server.take({ type: 'applied', index: 1, batches: [] })
  return server
}

describe('a read at the leader (thesis §6.4)', () => {
  it('sends one round of pulses, writes nothing, and is answered when a quorum has answered them', () => {
    const server = ready()
    const step = server.take(read(7))
    expect(step.send.map(({ to, message }) => `${to} ${message.type}`)).toEqual([
      'b heartbeat',
      'c heartbeat',
    ])
    expect(step).toMatchObject({ save: undefined, answers: [] })
    expect(server.receive('b', reply(1, 1)).answers).toEqual([{ type: 'readable', ticket: 7 }])
  })

  it.each([
    ['abc', 1],
    ['abcd', 2],
    ['abcde', 2],
    ['abcdefg', 3],
  ])(
    'in %s it takes the answers of %i others and not one fewer [bug 20][bug 67]',
    (voters, needed) => {
      const server = ready(voters)
      server.take(read(7))
      const others = [...voters].slice(1)
      const fewer = others.slice(0, needed - 1)
      for (const id of fewer) {
        for (let i = 0; i < 3; i++) expect(server.receive(id, reply(1, 1)).answers).toEqual([])
      }
      expect(server.receive(others[needed]!, reply(1, 1)).answers).toHaveLength(1)
    },
  )

  it('one round serves all that wait for it; whoever comes later waits for the next one', () => {
    const server = ready()
    server.take(read(1), read(2))
    expect(server.leader.round).toBe(1)
    expect(server.take(read(3)).send).toEqual([])
    expect(server.take(read(4)).send).toEqual([])
    const step = server.receive('b', reply(1, 1))
    expect(step.answers.map(({ ticket }) => ticket)).toEqual([1, 2])
    server.receive('c', reply(1, 1))
    expect(server.leader.round).toBe(2)
    expect(server.receive('c', reply(1, 1)).answers).toEqual([])
    expect(server.receive('c', reply(1, 2)).answers.map(({ ticket }) => ticket)).toEqual([3, 4])
  })

  it('the next round goes out in the turn in which the one before is answered, not with the next pulse', () => {
    const server = ready()
    server.take(read(1))
    server.take(read(2))
    expect(messagesOf(server.receive('b', reply(1, 1)), 'b')).toMatchObject([
      { type: 'heartbeat', round: 2 },
    ])
    expect(server.receive('b', reply(1, 2)).answers).toEqual([{ type: 'readable', ticket: 2 }])
  })

  it('a round that was lost is made good by any later one', () => {
    const server = ready()
    server.take(read(1))
    server.take({ type: 'heartbeatTimeout' })
    expect(server.receive('c', reply(1, 2)).answers).toEqual([{ type: 'readable', ticket: 1 }])
  })

  it('answers to pulses that went out before the read do not count [bug 21]', () => {
    const server = ready()
    server.take({ type: 'heartbeatTimeout' })
    server.take(read(1))
    expect(server.receive('b', reply(1, 1)).answers).toEqual([])
    expect(server.receive('b', reply(1, 2)).answers).toHaveLength(1)
  })

  it('an answer to a round that has not begun counts as one to the last round', () => {
    const server = ready()
    server.receive('b', reply(1, 99))
    expect(server.progress('b').round).toBe(0)
    server.take(read(1))
    expect(server.leader.reads).toHaveLength(1)
  })

  it('a single voter answers at once, when its first entry is applied', () => {
    const server = leader({ voters: 'a' })
    expect(server.state.commitIndex).toBe(1)
    expect(server.take(read(1)).answers).toEqual([])
    const step = server.take({ type: 'applied', index: 1, batches: [] })
    expect(step.answers).toEqual([{ type: 'readable', ticket: 1 }])
    expect(server.take(read(2)).answers).toEqual([{ type: 'readable', ticket: 2 }])
  })

  it('a single voter that restarts does not answer before its log is applied again [bug 23]', () => {
    const cluster = new Cluster('a')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.settle()
    cluster.crash('a')
    cluster.restart('a')
    const early = cluster.read('a')
    cluster.timeout('a')
    cluster.save('a')
    const ticket = cluster.read('a')
    cluster.save('a')
    expect(cluster.answerTo(early)).toBe('unreadable')
    expect(cluster.answerTo(ticket)).toBeUndefined()
    cluster.apply('a')
    expect(cluster.answerTo(ticket)).toBe('readable')
  })
})

describe('what a read waits for', () => {
  it('before the first entry of its term is committed a leader knows no commit index: the read waits for that entry [bug 22]', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.settle()
    cluster.crash('a')
    cluster.lead('b')
    cluster.drop(carrying('append'))
    const ticket = cluster.read('b')
    cluster.deliver(({ message }) => message.type !== 'append')
    cluster.deliver(carrying('heartbeatReply'))
    cluster.apply('b')
    expect(cluster.server('b').state.commitIndex).toBe(1)
    expect(cluster.answerTo(ticket)).toBeUndefined()
    cluster.settle()
    expect(cluster.answerTo(ticket)).toBe('readable')
    expect(cluster.server('b').state.appliedIndex).toBe(3)
  })

  it('the state machine must have applied what was committed when the read came, and no more', () => {
    const server = ready()
    server.take({
      type: 'proposed',
      ticket: 9,
      kind: 'command',
      count: 1,
      bytes: new Uint8Array(4),
    })
    server.saveAll()
    server.receive('b', { type: 'appended', term: 1, match: 2 })
    server.take(read(1))
    server.take({
      type: 'proposed',
      ticket: 9,
      kind: 'command',
      count: 1,
      bytes: new Uint8Array(4),
    })
    expect(server.receive('b', reply(1, 1)).answers).toEqual([])
    expect(server.state.confirmed).toEqual([{ ticket: 1, index: 2 }])
    const step = server.take({ type: 'applied', index: 2, batches: [] })
    expect(step.answers).toEqual([{ type: 'readable', ticket: 1 }])
  })

  it('a read that waits for a first entry which is then cut off is told so, rather than left waiting', () => {
    const cluster = new Cluster('abc', {}, { a: [1], b: [1, 1, 1, 1], c: [1] })
    cluster.lead('b')
    const ticket = cluster.read('b')
    cluster.drop(carrying('append'))
    cluster.deliver()
    cluster.deliver()
    cluster.drop()
    expect(cluster.answerTo(ticket)).toBeUndefined()
    cluster.elect('c', 'b')
    cluster.heartbeat('c')
    cluster.settle()
    expect(cluster.terms('b')).toEqual([1, 3])
    expect(cluster.answerTo(ticket)).toBe('unreadable')
  })
})

describe('a read at a follower', () => {
  it('asks the leader, waits for its answer, and then for the state machine', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.settle()
    const ticket = cluster.read('b')
    const types = ['readIndex', 'heartbeat', 'heartbeatReply', 'readIndexReply'] as const
    for (const type of types) cluster.deliver(carrying(type))
    expect(cluster.server('b').state.confirmed).toEqual([{ ticket, index: 2 }])
    expect(cluster.answerTo(ticket)).toBeUndefined()
    cluster.apply('b')
    expect(cluster.answerTo(ticket)).toBe('readable')
  })

  it.each([
    ['the question', 'readIndex'],
    ['the answer', 'readIndexReply'],
  ] as const)('%s may be lost: it is asked again with the next pulse', (_, type) => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    const ticket = cluster.read('b')
    for (let i = 0; i < 6; i++) {
      cluster.drop(carrying(type))
      cluster.deliver()
    }
    expect(cluster.answerTo(ticket)).toBeUndefined()
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.answerTo(ticket)).toBe('readable')
  })

  it('a question asked twice is noted once, and an answer that comes twice is given once [bug 21]', () => {
    const server = ready()
    server.receive('b', question(1, 5), question(1, 5))
    server.receive('b', question(1, 5))
    expect(server.leader.reads).toHaveLength(1)

    const asking = follower({ term: 1 })
    asking.receive('b', heartbeat(1, 0))
    asking.take(read(5))
    expect(asking.receive('b', confirmed(1, 5, 0)).answers).toHaveLength(1)
    expect(asking.receive('b', confirmed(1, 5, 0)).answers).toEqual([])
  })

  it('two followers may use the same ticket', () => {
    const server = ready()
    server.receive('b', question(1, 5))
    server.receive('c', question(1, 5))
    server.take({ type: 'heartbeatTimeout' })
    const step = server.receive('b', reply(1, server.leader.round))
    const replies = step.send.filter(({ message }) => message.type === 'readIndexReply')
    expect(replies.map(({ to }) => to)).toEqual(['b', 'c'])
  })

  it('is answered by the leader whom a newcomer follows, though it knows of no configuration', () => {
    const server = follower({ id: 'd', voters: '', term: 1 })
    server.receive('b', heartbeat(1))
    server.take(read(5))
    expect(server.receive('c', confirmed(1, 5, 0)).answers).toEqual([])
    expect(server.receive('b', confirmed(1, 5, 0)).answers).toEqual([
      { type: 'readable', ticket: 5 },
    ])
    // Otherwise it would ask again with each pulse, and each time be sent another one.
    const again = messagesOf(server.receive('b', heartbeat(1)), 'b').map(({ type }) => type)
    expect(again).toEqual(['heartbeatReply'])
  })

  it('an answer from one who is not the leader, or to a question that was not asked, is ignored', () => {
    const server = follower({ term: 1 })
    server.receive('b', heartbeat(1))
    server.take(read(5))
    for (const step of [
      server.receive('c', confirmed(1, 5, 0)),
      server.receive('b', confirmed(1, 6, 0)),
    ]) {
      expect(step.answers).toEqual([])
    }
  })

  it.each([
    ['follower that knows no leader', follower()],
    ['precandidate', precandidate()],
    ['candidate', candidate()],
  ])('a %s cannot confirm and says so at once', (_, server) => {
    expect(server.take(read(5)).answers).toEqual([
      { type: 'unreadable', ticket: 5, leader: undefined },
    ])
  })

  it('when the leader changes, or is silent, the reader is told', () => {
    const changes = [
      (server: Server) => server.receive('c', heartbeat(2)),
      (server: Server) => server.take({ type: 'electionTimeout' }),
    ]
    for (const change of changes) {
      const server = follower({ term: 1 })
      server.receive('b', heartbeat(1))
      server.take(read(5))
      server.now += 200
      expect(change(server).answers).toMatchObject([{ type: 'unreadable', ticket: 5 }])
    }
  })
})

describe('a deposed leader', () => {
  it('and one follower of five cannot confirm a read while the other three have moved on [bug 20][bug 67]', () => {
    const cluster = new Cluster('abcde', { checkQuorum: false })
    cluster.elect('a')
    cluster.elect('c', 'a', 'b')
    cluster.propose('c', 'newer')
    cluster.settle('a', 'b')
    const [atLeader, atFollower] = [cluster.read('a'), cluster.read('b')]
    for (let i = 0; i < 3; i++) {
      cluster.heartbeat('a')
      cluster.settle('c', 'd', 'e')
    }
    expect(cluster.server('a').role).toBe('leader')
    expect(cluster.answerTo(atLeader)).toBeUndefined()
    expect(cluster.answerTo(atFollower)).toBeUndefined()
    cluster.heartbeat('c')
    cluster.settle()
    expect(cluster.answerTo(atLeader)).toBe('unreadable')
    expect(cluster.answerTo(atFollower)).toBe('unreadable')
  })

  it('releases no read with answers from the time when it led [bug 21]', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    const first = cluster.read('a')
    cluster.deliver()
    const old = cluster.take(carrying('heartbeatReply'))
    expect(old).toHaveLength(2)
    cluster.elect('b', 'a')
    cluster.propose('b', 'newer')
    cluster.settle('a')
    const retried = cluster.read('a')
    cluster.drop(about('a'))
    for (const envelope of old.filter(({ from }) => from === 'b')) {
      // b answered while it followed a; its answer is about the read before b was elected.
      cluster.hand(envelope)
    }
    expect(cluster.answerTo(first)).toBe('readable')
    expect(cluster.answerTo(retried)).toBeUndefined()
    cluster.heartbeat('b')
    cluster.settle()
    expect(cluster.answerTo(retried)).toBe('unreadable')
  })

  it('leads again in a later term without remembering rounds of the earlier one [bug 21]', () => {
    const server = ready()
    server.take(read(1))
    server.receive('b', { type: 'heartbeatReply', term: 2, round: 0 })
    expect(server.role).toBe('follower')
    server.now += 200
    server.take({ type: 'electionTimeout' })
    server.receive('b', { type: 'vote', term: 3, pre: true, granted: true })
    server.save()
    server.save()
    server.receive('b', { type: 'vote', term: 3, pre: false, granted: true })
    server.receive('b', { type: 'appended', term: 3, match: 2 })
    server.save()
    server.take(read(2))
    for (const id of ['b', 'c']) server.receive(id, reply(1, 1))
    expect(server.state.confirmed).toEqual([])
    server.receive('c', reply(3, 1))
    expect(server.state.confirmed).toEqual([{ ticket: 2, index: 2 }])
  })
})
