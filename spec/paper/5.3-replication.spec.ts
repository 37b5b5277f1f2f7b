import { describe, expect, it } from 'vitest'
import type { Message } from '../../lib/messages.ts'
import { about, Cluster } from '../lib/bench/cluster.ts'
import { entriesIn, logOf, termsIn } from '../lib/bench/entries.ts'
import { append, heartbeat } from '../lib/bench/messages.ts'
import { follower, leader, messagesOf, proposal } from '../lib/bench/server.ts'

describe('§5.3 the leader', () => {
  it('§5.3 the leader appends the command to its log and sends it in parallel to each of the others, before its own disk holds it', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    const { save, send } = cluster.propose('a', 'x')
    expect(save?.batches).toMatchObject([{ index: 2, term: 1, count: 1 }])
    expect(send.map(({ to, message }) => `${to} ${message.type}`)).toEqual(['b append', 'c append'])
  })

  it('§5.3 when the entry is safely replicated, the leader applies it', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.deliver()
    expect(cluster.commitIndex('a')).toBe(1)
    cluster.save('b')
    cluster.save('a')
    cluster.deliver()
    expect(cluster.committed('a').at(-1)).toMatchObject({ index: 2, text: 'x' })
  })

  it('§5.3 each entry stores a command, the term in which the leader received it, and its index', () => {
    const server = leader({ log: [1, 3] })
    server.take(proposal(1, 'x', 'y'))
    expect(entriesIn(server.state.log).slice(2)).toEqual([
      { index: 3, term: 4, kind: 'noop', text: '' },
      { index: 4, term: 4, kind: 'command', text: 'x' },
      { index: 5, term: 4, kind: 'command', text: 'y' },
    ])
  })

  it('§5.3 an entry is committed once the leader that created it has replicated it on a majority; here on a majority of disks', () => {
    const cluster = new Cluster('abcde')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.save('a')
    cluster.deliver()
    cluster.save('b')
    cluster.deliver()
    expect(cluster.commitIndex('a')).toBe(1)
    cluster.save('c')
    cluster.deliver()
    expect(cluster.commitIndex('a')).toBe(2)
  })

  it('§5.3 this also commits all preceding entries, also those that previous leaders created', () => {
    const cluster = new Cluster('abc', {}, { a: [1, 1, 2], b: [1], c: [1] })
    cluster.elect('a')
    expect(cluster.committed('a').map(({ term }) => term)).toEqual([1, 1, 2, 3])
    expect(cluster.committed('b')).toEqual([])
  })

  it('§5.3 the leader includes the highest index that it knows to be committed in future messages, heartbeats among them', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    const [pulse] = messagesOf(cluster.heartbeat('a'), 'b')
    expect(pulse).toMatchObject({ type: 'heartbeat', commit: 1 })
    const [entries] = messagesOf(cluster.propose('a', 'x'), 'b')
    expect(entries).toMatchObject({ type: 'append', commit: 1 })
  })

  it('§5.3 a follower that learns that an entry is committed applies it, in log order', () => {
    const server = follower({ log: [1, 1] })
    const step = server.receive('b', append(1, [2, 1], logOf([1, 1, 1], 3), 4))
    expect(step.committed.map(({ index }) => index)).toEqual([1, 2, 3, 4])
    const next = server.receive('b', heartbeat(1, 5))
    expect(next.committed.map(({ index }) => index)).toEqual([5])
  })

  it('§5.3 if followers crash, run slowly, or messages are lost, the leader retries without end, also after it has answered the client, until all followers store all entries', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    for (const text of ['x', 'y', 'z']) cluster.propose('a', text)
    cluster.settle('c')
    expect(cluster.commitIndex('a')).toBe(4)
    for (let i = 0; i < 5; i++) {
      cluster.heartbeat('a')
      cluster.settle('c')
    }
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.terms('c')).toEqual([1, 1, 1, 1])
  })

  it('§5.3 new entries are accepted, replicated and applied as long as a majority is up; one round suffices, and one slow follower does not matter', () => {
    const cluster = new Cluster('abcde')
    cluster.elect('a')
    cluster.crash('d')
    cluster.crash('e')
    cluster.propose('a', 'x')
    cluster.deliver(about('b', 'c'))
    for (const id of ['a', 'b', 'c']) cluster.save(id)
    cluster.deliver(about('b', 'c'))
    expect(cluster.commitIndex('a')).toBe(2)
  })

  it('§5.3 a leader never overwrites or deletes entries in its own log, it only appends (Figure 3)', () => {
    const server = leader({ log: [1, 1, 2] })
    const before = entriesIn(server.state.log)
    server.receive('b', { type: 'rejected', term: 3, prevIndex: 3, hintIndex: 0, hintTerm: 0 })
    server.receive('b', append(2, [0, 0], logOf([2, 2])))
    server.take(proposal(1, 'x'))
    expect(entriesIn(server.state.log).slice(0, before.length)).toEqual(before)
  })
})

describe('§5.3 Log Matching', () => {
  it('§5.3 a leader creates at most one entry with a given index in a given term, and entries never change their place', () => {
    const server = leader()
    const indexes = ['x', 'y', 'z'].flatMap((text) => server.take(proposal(1, text)).answers)
    expect(indexes).toMatchObject([{ index: 2 }, { index: 3 }, { index: 4 }])
  })

  it('§5.3 if two entries in different logs have the same index and term, all preceding entries are identical', () => {
    const cluster = new Cluster('abc', {}, { a: [1, 1, 3, 3], b: [1, 2, 2], c: [1] })
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.settle()
    const [a, b, c] = cluster.servers.map(({ state }) => entriesIn(state.log))
    expect(b).toEqual(a)
    expect(c).toEqual(a)
  })

  it('§5.3 the leader includes the index and the term of the entry that immediately precedes the new ones', () => {
    const server = leader({ log: [1, 2, 2] })
    server.receive('b', { type: 'rejected', term: 3, prevIndex: 3, hintIndex: 2, hintTerm: 2 })
    const [message] = messagesOf(
      server.receive('b', { type: 'rejected', term: 3, prevIndex: 2, hintIndex: 1, hintTerm: 1 }),
    )
    expect(message).toMatchObject({
      prevIndex: 1,
      prevTerm: 1,
      batches: [{ index: 2 }, { index: 3 }, { index: 4 }],
    })
  })

  it.each([
    ['is missing', [1, 1], [3, 1]],
    ['has an earlier term', [1, 1, 1], [3, 2]],
    ['has a later term', [1, 1, 2], [3, 1]],
  ] as const)(
    '§5.3 if the follower finds no entry with the same index and term, it refuses the new entries: the entry before them %s',
    (_, log, prev) => {
      const server = follower({ log, term: 3 })
      const step = server.receive('b', append(3, prev, logOf([3], 4), 4))
      expect(messagesOf(step)).toMatchObject([{ type: 'rejected', term: 3, prevIndex: 3 }])
      expect(step.save).toBeUndefined()
      expect(server.state.commitIndex).toBe(0)
      expect(termsIn(server.state.log)).toEqual(log)
    },
  )

  it('§5.3 conflicting entries in a follower are overwritten with entries from the leader', () => {
    const server = follower({ log: [1, 2, 2, 2] })
    server.receive('b', append(3, [1, 1], logOf([3], 2)))
    expect(termsIn(server.state.log)).toEqual([1, 3])
  })
})

const figure7 = {
  leader: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
  a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
  b: [1, 1, 1, 4],
  c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
  d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
  e: [1, 1, 1, 4, 4, 4, 4],
  f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
}

/** The figure's seven servers; `g` comes to power in term 8. */
function figure7Cluster(): Cluster {
  const { leader: g, ...followers } = figure7
  const cluster = new Cluster('abcdefg', {}, { ...followers, g })
  cluster.timeout('g')
  cluster.settle()
  // From d it has learned of term 7; the next one that it asks for is 8.
  cluster.elect('g')
  return cluster
}

describe('§5.3 Figure 7', () => {
  it.each(['a', 'b', 'c', 'd', 'e', 'f'] as const)(
    '§5.3 Figure 7 (%s): the leader forces the follower to duplicate its own log',
    (id) => {
      const cluster = figure7Cluster()
      const log = entriesIn(cluster.server('g').state.log)
      expect(log.map(({ term }) => term)).toEqual([...figure7.leader, 8])
      expect(entriesIn(cluster.server(id).state.log)).toEqual(log)
      expect(cluster.server(id).disk.log).toEqual(log)
    },
  )

  it('§5.3 Figure 7: what no follower shares is not lost by the leader, and all of it commits', () => {
    const cluster = figure7Cluster()
    expect(cluster.commitIndex('g')).toBe(11)
    cluster.heartbeat('g')
    cluster.settle()
    expect(cluster.servers.map(({ state }) => state.commitIndex)).toEqual(Array(7).fill(11))
  })
})

describe('§5.3 finding where logs agree', () => {
  it('§5.3 a leader that comes to power takes nextIndex to be just after its last entry', () => {
    const cluster = new Cluster('abc', {}, { a: [1, 1], b: [1, 1], c: [1, 1] })
    cluster.lead('a')
    const messages = cluster.wire.map(({ message }) => message)
    expect(messages.filter(({ type }) => type === 'append')).toMatchObject([
      { prevIndex: 2, prevTerm: 1, batches: [{ index: 3, term: 2 }] },
      { prevIndex: 2, prevTerm: 1, batches: [{ index: 3, term: 2 }] },
    ])
  })

  it('§5.3 after a rejection the leader goes back and tries again, until the logs match', () => {
    const cluster = new Cluster('ab', {}, { a: [1, 2, 3, 4], b: [1] })
    cluster.elect('a')
    expect(cluster.terms('b')).toEqual([1, 2, 3, 4, 5])
  })

  it('§5.3 one message is required for each term with conflicting entries, rather than one for each entry', () => {
    const many = (term: number) => Array<number>(50).fill(term)
    const server = follower({ log: [1, ...many(2), ...many(4)], term: 6 })
    const other = leader({ id: 'b', voters: 'ab', log: [1, ...many(3), ...many(5)] })
    let rejections = 0
    let request: Message = append(6, [101, 5], logOf([6], 102))
    for (; rejections < 9; rejections++) {
      const [answer] = messagesOf(server.receive('b', request))
      if (answer?.type !== 'rejected') break
      request = messagesOf(other.receive('a', answer))[0]!
    }
    expect(rejections).toBe(2)
    expect(termsIn(server.state.log)).toEqual([1, ...many(3), ...many(5), 6])
  })

  it('§5.3 until leader and follower have found where their logs match, the leader saves bandwidth; here it sends one message at a time', () => {
    const server = leader()
    const steps = ['x', 'y', 'z'].map((text) => server.take(proposal(1, text)))
    expect(steps.flatMap(({ send }) => send)).toEqual([])
    const { send } = server.receive('b', { type: 'appended', term: 1, match: 1 })
    expect(send).toMatchObject([{ to: 'b', message: { prevIndex: 1, batches: [{}, {}, {}] } }])
  })
})
