import { describe, expect, it } from 'vitest'
import type { Declined, Forward, Forwarded, Message } from '../../lib/messages.ts'
import type { Answer } from '../../lib/turn.ts'
import { carrying, Cluster } from './bench/cluster.ts'
import { batchOf, entriesIn } from './bench/entries.ts'
import { heartbeat } from './bench/messages.ts'
import { follower, leader, messagesOf, proposal, type Options } from './bench/server.ts'

const forward = true

/** Three servers of which `a` leads. */
function led(options: Options = {}): Cluster {
  const cluster = new Cluster('abc', { forward, ...options })
  cluster.elect('a')
  return cluster
}

/** What was answered to proposals, in this order. */
const told = ({ answers }: Cluster): Answer['type'][] => answers.map(({ type }) => type)

const texts = (cluster: Cluster, id: string): string[] =>
  entriesIn(cluster.server(id).state.log).map(({ text }) => text)

const passing = carrying('forward')
const accepting = carrying('forwarded')

describe('a follower', () => {
  it('passes on what is proposed to it, in one message for a turn, and hears where it lies', () => {
    const cluster = led()
    cluster.propose('b', 'x', 'y')
    const [passed] = cluster.wire.map(({ message }) => message as Forward)
    expect(cluster.wire).toHaveLength(1)
    expect(passed).toMatchObject({ type: 'forward', sequence: 0, lowest: 0, count: 2 })
    cluster.settle()
    expect(cluster.answers).toMatchObject([{ type: 'accepted', index: 2, term: 1 }])
    expect(texts(cluster, 'c').slice(1)).toEqual(['x', 'y'])
  })

  it('that has joined and knows of no configuration yet hears where it lies, too', () => {
    const server = follower({ id: 'd', voters: '', term: 1, forward })
    server.receive('b', heartbeat(1))
    const [passed] = messagesOf(server.take(proposal(7, 'x')), 'b') as Forward[]
    const { channel, sequence } = passed!
    const accepted: Message = { type: 'forwarded', term: 1, channel, sequence, index: 9 }
    expect(server.receive('c', accepted).answers).toEqual([])
    expect(server.receive('b', accepted).answers).toMatchObject([{ type: 'accepted', index: 9 }])
  })

  it('keeps the kind of what it passes on', () => {
    const cluster = led()
    const { bytes } = batchOf(1, 1, ['x'])
    cluster.turn('b', { type: 'proposed', ticket: 7, kind: 'request', count: 1, bytes })
    cluster.settle()
    expect(cluster.server('a').state.log.cells.at(-1)).toMatchObject({ kind: 'request' })
  })

  it('says who leads when it may not pass on, or knows no leader', () => {
    const without = led({ forward: false })
    without.propose('b', 'x')
    expect(without.wire).toEqual([])
    expect(without.answers).toMatchObject([{ type: 'notLeader', leader: 'a' }])
    const alone = new Cluster('abc', { forward })
    alone.propose('b', 'x')
    expect(alone.answers).toMatchObject([{ type: 'notLeader', leader: undefined }])
  })

  it('has so many bytes on their way and no more, until they are answered [bug 52]', () => {
    const cluster = led({ maxInflightBytes: 20 })
    for (const text of ['12345678', '12345678', 'y']) cluster.propose('b', text)
    expect(told(cluster)).toEqual(['overloaded'])
    expect(cluster.wire.filter(passing)).toHaveLength(2)
    cluster.settle()
    cluster.propose('b', 'z')
    cluster.settle()
    expect(told(cluster)).toEqual(['overloaded', 'accepted', 'accepted', 'accepted'])
  })

  it('has so many batches on their way and no more', () => {
    const cluster = led({ maxInflightMessages: 2 })
    for (const text of ['x', 'y', 'z']) cluster.propose('b', text)
    expect(told(cluster)).toEqual(['overloaded'])
  })
})

describe('a message that is lost', () => {
  it.each([
    ['on its way to the leader', passing],
    ['on its way back', accepting],
  ])('%s is made up for with the second pulse, and the batch is taken in once', (_, lost) => {
    const cluster = led()
    cluster.propose('b', 'x')
    cluster.propose('b', 'y')
    for (let i = 0; i < 4; i++) {
      cluster.drop(lost)
      cluster.deliver()
    }
    expect(told(cluster)).toEqual([])
    cluster.heartbeat('a')
    cluster.settle()
    expect(told(cluster)).toEqual([])
    cluster.heartbeat('a')
    cluster.settle()
    expect(told(cluster)).toEqual(['accepted', 'accepted'])
    expect(texts(cluster, 'a').slice(1)).toEqual(['x', 'y'])
  })

  it('is not sent again while the leader answers', () => {
    const cluster = led()
    for (const text of ['x', 'y', 'z']) {
      cluster.propose('b', text)
      cluster.heartbeat('a')
      cluster.settle()
    }
    expect(texts(cluster, 'a').slice(1)).toEqual(['x', 'y', 'z'])
    cluster.propose('b', 'late')
    cluster.heartbeat('a')
    cluster.deliver(carrying('heartbeat'))
    expect(cluster.wire.filter(passing)).toHaveLength(1)
  })
})

describe('a leader', () => {
  const first = { channel: 9, lowest: 0, isRequest: false, count: 1 } as const
  const passed = (sequence: number, more: Partial<Forward> = {}): Message => ({
    ...{ type: 'forward', term: 1, sequence, ...first },
    ...{ bytes: batchOf(1, 1, [`${sequence}`]).bytes, ...more },
  })
  const repliesOf = (sent: readonly { readonly message: Message }[]) =>
    sent
      .map(({ message }) => message)
      .filter((it): it is Forwarded | Declined => ['forwarded', 'declined'].includes(it.type))

  it('takes in what comes twice once, and answers it as before [F1]', () => {
    const server = leader()
    const [once] = repliesOf(server.receive('b', passed(0)).send)
    const last = server.state.log.lastIndex
    const [again] = repliesOf(server.receive('b', passed(0)).send)
    expect(again).toEqual(once)
    expect(server.state.log.lastIndex).toBe(last)
  })

  it('leaves what comes too early for later, so that batches keep their order [F1]', () => {
    const server = leader()
    const { lastIndex } = server.state.log
    expect(repliesOf(server.receive('b', passed(1)).send)).toEqual([])
    expect(server.state.log.lastIndex).toBe(lastIndex)
    const replies = repliesOf(server.receive('b', passed(0), passed(1)).send)
    expect(replies).toMatchObject([{ index: lastIndex + 1 }, { index: lastIndex + 2 }])
  })

  it('says the same of what it has declined, also when it could take it in by now', () => {
    const server = leader({ maxUncommittedBytes: 9 })
    server.take(proposal(1, '123456'))
    const [declined] = repliesOf(server.receive('b', passed(0)).send)
    expect(declined).toMatchObject({ type: 'declined', isShortOfSpace: false, isLeaving: false })
    server.saveAll()
    const { lastIndex } = server.state.log
    server.receive('b', { type: 'appended', term: 1, match: lastIndex })
    server.take({ type: 'applied', index: lastIndex, batches: [] })
    expect(server.take(proposal(2, 'x')).answers).toMatchObject([{ type: 'accepted' }])
    expect(repliesOf(server.receive('b', passed(0)).send)).toEqual([declined])
  })

  it('forgets what it answered when the follower has heard of it, but not that it has come', () => {
    const server = leader()
    server.receive('b', passed(0))
    server.receive('b', passed(1, { lowest: 1 }))
    expect(server.leader.channels).toMatchObject([{ next: 2, replies: [{ sequence: 1 }] }])
    const { lastIndex } = server.state.log
    expect(server.receive('b', passed(0)).send).toEqual([])
    expect(server.state.log.lastIndex).toBe(lastIndex)
  })

  it('keeps the lives of a follower apart, and what an earlier one said is not taken in again', () => {
    const server = leader()
    server.receive('b', passed(0, { channel: 1 }))
    server.receive('b', passed(0, { channel: 2 }))
    const { lastIndex } = server.state.log
    server.receive('b', passed(0, { channel: 1 }))
    server.receive('b', passed(0, { channel: 2 }))
    server.receive('c', passed(0, { channel: 1 }))
    expect(server.state.log.lastIndex).toBe(lastIndex + 1)
  })

  it('that has stepped down says nothing: it may have taken the batch in', () => {
    const server = leader()
    server.receive('b', passed(0))
    server.now += 1000
    server.take({ type: 'quorumTimeout' })
    expect(server.role).toBe('follower')
    expect(server.receive('b', passed(0)).send).toEqual([])
  })

  it('drops what no follower sends', () => {
    const server = leader()
    for (const more of [{ lowest: 2 }, { count: 0 }]) server.receive('b', passed(1, more))
    server.receive('b', passed(70_000))
    expect(server.state.dropped).toBe(3)
  })
})

describe('what a leader has not answered', () => {
  it('when another leads is unknown, and may be in the log', () => {
    const cluster = led()
    cluster.propose('b', 'x')
    cluster.deliver(passing)
    cluster.drop(accepting)
    cluster.settle('b')
    cluster.elect('c', 'a')
    cluster.settle()
    expect(told(cluster)).toEqual(['unanswered'])
    expect(texts(cluster, 'b')).toContain('x')
  })

  it('is answered when the same leader is heard again in its term', () => {
    const cluster = led()
    cluster.propose('b', 'x')
    cluster.drop()
    cluster.pass(200)
    cluster.timeout('b')
    expect(cluster.server('b').role).toBe('precandidate')
    cluster.drop()
    expect(told(cluster)).toEqual([])
    cluster.heartbeat('a')
    cluster.settle()
    cluster.heartbeat('a')
    cluster.settle()
    expect(told(cluster)).toEqual(['accepted'])
    expect(texts(cluster, 'c').slice(1)).toEqual(['x'])
  })

  it('does not count for the next leader, whose answers are told apart', () => {
    const cluster = led()
    cluster.propose('b', 'x')
    cluster.deliver(passing)
    const late = cluster.take(accepting)
    cluster.elect('c', 'a')
    cluster.propose('b', 'y')
    for (const envelope of late) cluster.hand(envelope)
    expect(told(cluster)).toEqual(['unanswered'])
    cluster.settle()
    expect(cluster.answers[1]).toMatchObject({ type: 'accepted', term: 2 })
  })

  it('is answered in the order in which it was passed on, whatever the order of the answers', () => {
    const cluster = led()
    cluster.propose('b', 'x')
    cluster.propose('b', 'y')
    cluster.deliver(passing)
    for (const envelope of [...cluster.take(accepting)].reverse()) cluster.hand(envelope)
    expect(cluster.answers).toMatchObject([{ type: 'accepted', index: 2 }])
    for (let pulses = 0; pulses < 2; pulses++) {
      cluster.heartbeat('a')
      cluster.settle()
    }
    expect(cluster.answers).toMatchObject([{ index: 2 }, { index: 3 }])
  })
})

describe('a leader that cannot take anything in', () => {
  it('tells the follower why', () => {
    const cluster = led()
    cluster.turn('a', { type: 'space', isShort: true })
    cluster.propose('b', 'x')
    cluster.deliver(passing)
    cluster.deliver(carrying('declined'))
    cluster.transfer('a', 'c')
    cluster.turn('a', { type: 'space', isShort: false })
    cluster.propose('b', 'y')
    cluster.deliver(passing)
    cluster.deliver(carrying('declined'))
    expect(told(cluster).filter((type) => type !== 'kept')).toEqual(['noSpace', 'notLeader'])
  })
})
