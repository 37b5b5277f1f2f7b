import { describe, expect, it } from 'vitest'
import { between, carrying, Cluster } from '../lib/bench/cluster.ts'
import { logOf } from '../lib/bench/entries.ts'
import { append, ask, askAhead } from '../lib/bench/messages.ts'
import { follower, messagesOf, received } from '../lib/bench/server.ts'

describe('§5.4.1 election restriction', () => {
  it('§5.4.1 a candidate cannot win unless its log contains all committed entries', () => {
    const cluster = new Cluster('abcde')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.settle('d', 'e')
    cluster.crash('a')
    cluster.pass(200)
    for (const id of ['d', 'e', 'd', 'e']) {
      cluster.timeout(id)
      cluster.settle()
      expect(cluster.server(id).role).not.toBe('leader')
    }
    cluster.elect('b')
    expect(cluster.committed('b').map(({ text }) => text)).toContain('x')
  })

  it('§5.4.1 log entries only flow in one direction, from leaders to followers', () => {
    const cluster = new Cluster('abc', {}, { a: [1], b: [1, 1, 1], c: [1] })
    cluster.timeout('a')
    cluster.settle('b')
    expect(cluster.terms('a')).toEqual([1, 2])
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.terms('a')).toEqual([1, 2])
    expect(cluster.terms('b')).toEqual([1, 2])
  })

  it.each([
    ['a later term wins over a longer log', [2, 3], [1, 1, 1, 2, 2], true],
    ['an earlier term loses in spite of a longer log', [5, 2], [1, 3], false],
    ['with the same term the longer log wins', [3, 2], [1, 2], true],
    ['with the same term the shorter log loses', [1, 2], [1, 2], false],
    ['an equal log will do', [2, 2], [1, 2], true],
    ['an empty log will do for an empty log', [0, 0], [], true],
  ] as const)(
    '§5.4.1 the voter denies its vote if its own log is more up-to-date: %s',
    (_, [lastIndex, lastTerm], log, granted) => {
      const server = follower({ log, term: 4 })
      const question = server.receive('b', askAhead(5, lastIndex, lastTerm))
      expect(messagesOf(question)).toMatchObject([{ pre: true, granted }])
      server.receive('b', ask(5, lastIndex, lastTerm))
      expect(server.state.vote).toBe(granted ? 'b' : undefined)
    },
  )
})

/** `id` wins `term` with these voters; what it sends as a leader is on the wire. */
function lead(cluster: Cluster, id: string, term: number, ...voters: readonly string[]): void {
  cluster.pass(200)
  for (let known = cluster.server(id).state.term; known < term; known++) {
    cluster.drop()
    cluster.timeout(id)
    cluster.save(id)
  }
  cluster.deliver(({ to, message }) => message.type === 'requestVote' && voters.includes(to))
  for (const voter of voters) cluster.save(voter)
  cluster.deliver(carrying('vote'))
  cluster.drop(({ message }) => message.type !== 'append')
  expect(cluster.server(id).role).toBe('leader')
}

/** S1 to S5 are a to e. (a): a, leader of term 2, has entry 2 on its own disk and on that of b. */
function figure8a(): Cluster {
  const logs = { a: [1], b: [1], c: [1], d: [1], e: [1] }
  const cluster = new Cluster('abcde', { preVote: false, maxAppendBytes: 1 }, logs)
  lead(cluster, 'a', 2, 'b', 'c')
  cluster.settle('c', 'd', 'e')
  return cluster
}

/** (b): a has crashed; e, elected by c and d, takes in another entry 2, in term 3. */
function figure8b(): Cluster {
  const cluster = figure8a()
  cluster.crash('a')
  lead(cluster, 'e', 3, 'c', 'd')
  cluster.settle('a', 'b', 'c', 'd')
  return cluster
}

/** (c): e has crashed; a, leader of term 4, brings entry 2 of term 2 to c, and nothing more. */
function figure8c(): Cluster {
  const cluster = figure8b()
  cluster.crash('e')
  cluster.restart('a')
  lead(cluster, 'a', 4, 'b', 'c')
  cluster.save('a')
  for (let i = 0; i < 3; i++) cluster.deliver(between('a', 'c'))
  cluster.save('c')
  cluster.deliver(carrying('appended'))
  return cluster
}

const holdersOfEntry2 = (cluster: Cluster, term: number) =>
  cluster.servers.filter(({ disk }) => disk.log[1]?.term === term).map(({ id }) => id)

describe('§5.4.2 committing entries from previous terms', () => {
  it('§5.4.2 Figure 8 (a): a partially replicates entry 2', () => {
    const cluster = figure8a()
    expect(holdersOfEntry2(cluster, 2)).toEqual(['a', 'b'])
    expect(cluster.commitIndex('a')).toBe(0)
  })

  it('§5.4.2 Figure 8 (b): e is elected without it and has another entry 2', () => {
    const cluster = figure8b()
    expect(cluster.server('e').state.term).toBe(3)
    expect(holdersOfEntry2(cluster, 3)).toEqual(['e'])
  })

  it('§5.4.2 Figure 8 (c): the entry of term 2 is on a majority of disks, the leader of term 4 knows it, and it is not committed [bug 1]', () => {
    const cluster = figure8c()
    expect(cluster.server('a').state.term).toBe(4)
    expect(holdersOfEntry2(cluster, 2)).toEqual(['a', 'b', 'c'])
    expect(cluster.server('a').progress('c').match).toBe(2)
    expect(cluster.commitIndex('a')).toBe(0)
  })

  it('§5.4.2 Figure 8 (d): if a crashes now, e is elected and overwrites the entry everywhere', () => {
    const cluster = figure8c()
    cluster.crash('a')
    cluster.restart('e')
    cluster.drop()
    cluster.timeout('e')
    cluster.settle('a')
    cluster.timeout('e')
    cluster.settle('a')
    expect(cluster.committed('e').map(({ term }) => term)).toEqual([1, 3, 5])
    expect(holdersOfEntry2(cluster, 3)).toEqual(['b', 'c', 'd', 'e'])
  })

  it("§5.4.2 Figure 8 (e): once an entry of the leader's own term is on a majority, both are committed, and e cannot win", () => {
    const cluster = figure8c()
    cluster.settle('d', 'e')
    expect(cluster.committed('a').map(({ term }) => term)).toEqual([1, 2, 4])
    cluster.crash('a')
    cluster.restart('e')
    for (let i = 0; i < 3; i++) {
      cluster.timeout('e')
      cluster.settle('a')
      expect(cluster.server('e').role).not.toBe('leader')
    }
  })

  it('§5.4.2 entries retain their original term when a leader replicates entries from previous terms', () => {
    const cluster = new Cluster('abc', {}, { a: [1, 2, 2], b: [1], c: [1] })
    cluster.elect('a')
    expect(cluster.terms('b')).toEqual([1, 2, 2, 3])
  })
})

describe('§5.4.3 safety argument', () => {
  it('§5.4.3 Figure 9: at least one server has accepted the committed entry of term T and votes in term U', () => {
    const cluster = new Cluster('abcde')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.settle('d', 'e')
    cluster.crash('a')
    cluster.elect('c', 'b')
    expect(cluster.committed('c').map(({ text }) => text)).toEqual(['', 'x', ''])
  })

  it('§5.4.3 the voter accepts the entry before it votes: afterwards it rejects the request of the leader of term T', () => {
    const server = follower({ term: 1 })
    server.receive('c', ask(2))
    const step = server.receive('b', append(1, [0, 0], logOf([1])))
    expect(messagesOf(step)).toEqual([{ type: 'heartbeatReply', term: 2, round: 0 }])
    expect(server.state.log.lastIndex).toBe(0)
  })

  it('§5.4.3 and having accepted it, it votes only for who has it as well, also in one turn with the vote [bug 29]', () => {
    const server = follower({ term: 1 })
    const entry = append(1, [0, 0], logOf([1]))
    server.take(received('b', 'a', entry), received('c', 'a', ask(2)))
    expect(server.saveAll()).toEqual([{ type: 'appended', term: 1, match: 1 }])
    expect(server.state.vote).toBeUndefined()
  })

  it('§5.4.3 if a server has applied an entry at an index, no other server ever applies a different one there', () => {
    const cluster = figure8c()
    cluster.settle('d', 'e')
    cluster.restart('e')
    cluster.heartbeat('a')
    cluster.settle()
    const [first, ...others] = cluster.servers.map(({ id }) => cluster.committed(id))
    for (const other of others) expect(other).toEqual(first)
    expect(first!.map(({ term }) => term)).toEqual([1, 2, 4])
  })

  it('§5.4.3 servers apply entries in log index order', () => {
    const server = follower({ log: [1] })
    const steps = [
      server.receive('b', append(1, [1, 1], logOf([1, 1], 2), 2)),
      server.receive('b', append(1, [3, 1], logOf([1], 4), 4)),
    ]
    expect(steps.map(({ committed }) => committed.map(({ index }) => index))).toEqual([
      [1, 2],
      [3, 4],
    ])
  })
})
