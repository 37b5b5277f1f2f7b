import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../lib/errors.ts'
import type { Saved } from '../../lib/storage.ts'
import { carrying, Cluster } from './bench/cluster.ts'
import { logOf, termsIn } from './bench/entries.ts'
import { append, ask, heartbeat, vote } from './bench/messages.ts'
import { candidate, follower, leader, messagesOf, proposal, received } from './bench/server.ts'

const appended = (term: number, match: number) => ({ type: 'appended', term, match }) as const
const saved = (sequence: number, term: number): Saved => ({ type: 'saved', sequence, term })

describe('what must be durable before it is said', () => {
  it('a vote leaves when it is on the disk, not before [bug 6][bug 8]', () => {
    const server = follower({ term: 1 })
    const step = server.receive('b', ask(2))
    expect(step.send).toEqual([])
    expect(step.save).toMatchObject({ term: 2, vote: 'b' })
    expect(messagesOf(server.save(), 'b')).toEqual([vote(2)])
  })

  it('a candidate asks nobody, and does not count itself, before its own vote is on the disk [bug 6]', () => {
    const server = follower({ voters: 'ab', preVote: false })
    expect(server.take({ type: 'electionTimeout' }).send).toEqual([])
    server.receive('b', vote(1))
    expect(server.role).toBe('candidate')
    expect(messagesOf(server.save())[0]).toEqual(ask(1))
    expect(server.role).toBe('leader')
  })

  it('a candidate that crashes after it has asked refuses its vote to others in that term [bug 6]', () => {
    const cluster = new Cluster('abc', { preVote: false })
    cluster.timeout('a')
    cluster.save('a')
    expect(cluster.take(carrying('requestVote'))).toHaveLength(2)
    cluster.crash('a')
    cluster.restart('a')
    cluster.hand({ from: 'b', to: 'a', message: ask(1, 9, 1) })
    expect(cluster.wire.map(({ message }) => message)).toEqual([vote(1, false)])
  })

  it('two candidates of one term, whatever order disk and wire take: one vote [bug 8]', () => {
    const server = follower()
    server.receive('b', ask(1))
    expect(messagesOf(server.receive('c', ask(1)))).toEqual([vote(1, false)])
    expect(server.receive('b', ask(1)).send).toEqual([])
    expect(messagesOf(server.save())).toEqual([vote(1), vote(1)])
  })

  it('two candidates of one term in one turn: one vote [bug 8]', () => {
    const server = follower()
    const step = server.take(received('c', 'a', ask(1)), received('b', 'a', ask(1)))
    expect(step.send.map(({ to, message }) => [to, message])).toEqual([['b', vote(1, false)]])
    expect(server.save().send.map(({ to, message }) => [to, message])).toEqual([['c', vote(1)]])
  })

  it('a vote that never becomes durable is never given: after the crash it is free again [bug 5]', () => {
    const cluster = new Cluster('abc', { preVote: false })
    cluster.hand({ from: 'b', to: 'a', message: ask(1) })
    cluster.crash('a')
    cluster.restart('a')
    expect(cluster.server('a').state).toMatchObject({ term: 0, vote: undefined })
    expect(cluster.wire).toEqual([])
    cluster.hand({ from: 'c', to: 'a', message: ask(1) })
    cluster.save('a')
    expect(cluster.wire).toEqual([{ from: 'a', to: 'c', message: vote(1) }])
  })

  it('entries are acknowledged when they are on the disk, and a crash before that loses no promise [bug 34]', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.deliver()
    cluster.save('a')
    expect(cluster.commitIndex('a')).toBe(1)
    cluster.crash('b')
    cluster.crash('c')
    cluster.restart('b')
    cluster.restart('c')
    expect(cluster.terms('b')).toEqual([1])
    expect(cluster.commitIndex('a')).toBe(1)
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.commitIndex('a')).toBe(2)
  })

  it('a leader counts itself when its own disk has spoken; followers alone may commit before it', () => {
    const server = leader({ voters: 'abc' })
    server.take(proposal(1, 'x'))
    server.receive('b', appended(1, 2))
    expect(server.state.commitIndex).toBe(1)
    expect(server.save().state.commitIndex).toBe(2)

    const other = leader({ voters: 'abc' })
    other.take(proposal(1, 'x'))
    other.receive('b', appended(1, 2))
    expect(other.receive('c', appended(1, 2)).state.commitIndex).toBe(2)
    expect(other.disk.log).toHaveLength(1)
  })
})

describe('term and vote', () => {
  it('are one record, written with the entries of the same turn in one save [bug 4]', () => {
    const server = follower({ log: [1] })
    const step = server.take(
      received('b', 'a', ask(2, 1, 1)),
      received('b', 'a', append(2, [1, 1], logOf([2], 2))),
    )
    expect(step.save).toMatchObject({
      sequence: 1,
      term: 2,
      vote: 'b',
      batches: [{ index: 2, term: 2 }],
    })
    expect(messagesOf(server.save())).toEqual([vote(2), appended(2, 2)])
  })

  it.each([
    ['nothing', 0, undefined, { term: 1, vote: undefined }, [1]],
    ['the first save', 1, undefined, { term: 2, vote: 'b' }, [1]],
    ['the first save and the ballot of the second', 1, 0, { term: 3, vote: undefined }, [1]],
    ['the first save and a part of the second', 1, 1, { term: 3, vote: undefined }, [1, 3]],
    ['both saves', 2, undefined, { term: 3, vote: undefined }, [1, 3, 3]],
  ] as const)(
    'a crash that leaves %s leaves a ballot and a log that fit, and no vote is given twice [bug 4][bug 7]',
    (_, whole, part, ballot, terms) => {
      const cluster = new Cluster('abc', {}, { a: [1], b: [1], c: [1] })
      cluster.hand({ from: 'b', to: 'a', message: ask(2, 1, 1) })
      const batches = logOf([3, 3], 2)
      cluster.hand({ from: 'c', to: 'a', message: append(3, [1, 1], batches) })
      cluster.crash('a', whole, part)
      cluster.restart('a')
      expect(cluster.server('a').state).toMatchObject(ballot)
      expect(cluster.terms('a')).toEqual(terms)
    },
  )

  it('a log with a later term than the ballot is a broken disk', () => {
    expect(() => follower({ log: [3], term: 2 })).toThrow(InvariantError)
  })

  it('all servers stop and start: terms do not fall and what was committed is there [bug 7][bug 34][bug 69]', () => {
    const cluster = new Cluster('abc')
    for (const id of ['a', 'b', 'a']) cluster.elect(id)
    cluster.propose('a', 'x')
    cluster.settle()
    for (const { id } of cluster.servers) cluster.crash(id)
    for (const { id } of cluster.servers) cluster.restart(id)
    expect(cluster.servers.map(({ state }) => state.term)).toEqual([3, 3, 3])
    cluster.elect('c')
    expect(cluster.server('c').state.term).toBe(4)
    expect(cluster.committed('c').map(({ text }) => text)).toContain('x')
  })
})

describe('an acknowledgement says which save it is about', () => {
  it('entries overwritten while they were being saved: the late acknowledgement of the old ones does not count for the new ones [bug 14][bug 15]', () => {
    const server = follower({ log: [1], term: 1 })
    server.receive('b', append(1, [1, 1], logOf([1, 1, 1], 2)))
    server.receive('c', append(2, [1, 1], logOf([2], 2)))
    expect(server.save().send).toEqual([{ from: 'a', to: 'b', message: appended(1, 4) }])
    expect(server.save().send).toEqual([{ from: 'a', to: 'c', message: appended(2, 2) }])
  })

  it('a question about entries still being saved is answered only when they are saved [bug 14]', () => {
    const server = follower({ log: [1] })
    server.receive('b', append(1, [1, 1], logOf([1, 1], 2)))
    expect(server.receive('b', append(1, [3, 1])).send).toEqual([])
    expect(messagesOf(server.save())).toEqual([appended(1, 3)])
    expect(messagesOf(server.receive('b', append(1, [3, 1])))).toEqual([appended(1, 3)])
  })

  it('a leader deposed and elected again does not count what it saved in the earlier term [bug 15]', () => {
    const server = leader({ voters: 'abcde' })
    server.take(proposal(1, 'x'))
    server.receive('b', append(2, [1, 1], logOf([2], 2)))
    server.now += 200
    server.take({ type: 'electionTimeout' })
    for (const id of ['b', 'c']) server.receive(id, { ...vote(3), pre: true })
    server.save()
    expect(server.role).toBe('candidate')
    server.save()
    server.save()
    for (const id of ['b', 'c']) server.receive(id, vote(3))
    expect(server.role).toBe('leader')
    expect(server.progress('a').match).toBe(0)
    server.save()
    expect(server.progress('a').match).toBe(3)
    expect(termsIn(server.state.log)).toEqual([1, 2, 3])
  })

  it.each([
    ['another sequence', saved(2, 1)],
    ['another term', saved(1, 2)],
  ])('a save acknowledged with %s stops the server', (_, wrong) => {
    const server = follower({ log: [1] })
    server.receive('b', append(1, [1, 1], logOf([1], 2)))
    expect(() => server.take(wrong)).toThrow(InvariantError)
  })

  it('an acknowledgement out of order, twice, or of nothing stops the server', () => {
    const server = follower({ log: [1] })
    expect(() => server.take(saved(1, 1))).toThrow(InvariantError)
    server.receive('b', append(1, [1, 1], logOf([1], 2)))
    server.receive('b', append(1, [2, 1], logOf([1], 3)))
    expect(() => server.take(saved(2, 1))).toThrow(InvariantError)
    server.save()
    expect(() => server.take(saved(1, 1))).toThrow(InvariantError)
    server.save()
    expect(server.state.saving).toEqual([])
  })

  it('several saves may be acknowledged in one turn, in order', () => {
    const server = follower({ log: [1] })
    for (const index of [2, 3]) server.receive('b', append(1, [index - 1, 1], logOf([1], index)))
    const step = server.take(server.disk.complete(), server.disk.complete())
    expect(messagesOf(step)).toEqual([appended(1, 2), appended(1, 3)])
  })
})

describe('one turn', () => {
  it('a vote and an entry in one turn: the vote is judged by the log that the turn has made [bug 29]', () => {
    const server = follower({ log: [1] })
    const step = server.take(
      received('b', 'a', append(1, [1, 1], logOf([1], 2))),
      received('c', 'a', { ...ask(2, 1, 1), pre: true }),
      received('b', 'a', ask(2, 1, 1)),
    )
    expect(messagesOf(step)).toEqual([
      { type: 'vote', term: 1, pre: true, granted: false },
      vote(2, false),
    ])
    expect(server.state.vote).toBeUndefined()
  })

  it('what was committed is handed out once, in order, across turns [bug 30][bug 61]', () => {
    const server = follower({ log: [1, 1, 1, 1] })
    const commits = [1, 1, 3, 2, 4].map((commit) => server.receive('b', heartbeat(1, commit)))
    expect(commits.map(({ committed }) => committed.map(({ index }) => index))).toEqual([
      [1],
      [],
      [2, 3],
      [],
      [4],
    ])
  })

  it('saves are numbered from 1 without a gap, and a turn that decides nothing saves nothing', () => {
    const server = candidate()
    server.receive('b', vote(1))
    const steps = ['x', 'y'].map((text) => server.take(proposal(1, text)))
    expect(steps.map(({ save }) => save?.sequence)).toEqual([3, 4])
    expect(server.take({ type: 'heartbeatTimeout' }).save).toBeUndefined()
  })

  it('the same events make the same step, and the state before is what it was', () => {
    const server = leader({ log: [1] })
    const before = server.state
    const frozen = JSON.stringify(before)
    const first = server.take(proposal(1, 'x'), received('b', 'a', appended(2, 2)))
    server.state = before
    const second = server.take(proposal(1, 'x'), received('b', 'a', appended(2, 2)))
    expect(JSON.stringify({ ...second, state: undefined })).toBe(
      JSON.stringify({ ...first, state: undefined }),
    )
    expect(JSON.stringify({ ...before, log: undefined })).toBe(
      JSON.stringify({ ...(JSON.parse(frozen) as object), log: undefined }),
    )
  })
})
