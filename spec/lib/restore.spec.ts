import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../lib/errors.ts'
import { logOf, termsIn } from './bench/entries.ts'
import { append, ask, heartbeat } from './bench/messages.ts'
import { follower, messagesOf, type Server } from './bench/server.ts'
import { applied, installOf, keptOf, markOf, restoreAll } from './bench/snapshots.ts'

const appended = (term: number, match: number) => ({ type: 'appended', term, match }) as const

describe('the state machine takes it over', () => {
  /** A follower whose disk holds the leader's snapshot, and whose machine has applied two entries. */
  function receiver(length = 400): Server {
    const server = follower({ log: [1, 1], term: 3 })
    server.receive('b', heartbeat(3, 2, 1, 1))
    server.take(applied(2))
    server.receive('b', installOf(3, keptOf(9, 3, length)))
    server.work()
    server.saveAll()
    return server
  }
  const restored = (isLast: boolean, index = 9) =>
    ({ type: 'pieceRestored', index, isLast }) as const

  it('piece by piece, the next when the last one is taken', () => {
    const server = receiver()
    const pieces = []
    for (let i = 0; i < 3; i++) {
      let step = server.work()
      while (step.restore === undefined) step = server.work()
      pieces.push(step.restore)
      expect(server.disk.asked).toEqual([])
      server.take(restored(step.restore.isLast))
    }
    expect(pieces).toMatchObject([
      { mark: markOf(9, 3), offset: 0, isLast: false },
      { mark: markOf(9, 3), offset: 150, isLast: false },
      { mark: markOf(9, 3), offset: 300, isLast: true },
    ])
    expect(server.state).toMatchObject({ restoring: undefined, handedIndex: 9, appliedIndex: 9 })
  })

  it('and gets no entries meanwhile, but all of them afterwards', () => {
    const server = receiver()
    const step = server.receive('b', append(3, [9, 3], logOf([3, 3], 10), 11))
    expect(step.committed).toEqual([])
    expect(server.state).toMatchObject({ commitIndex: 11, handedIndex: 2 })
    while (server.work().restore === undefined);
    const last = server.take(restored(true))
    expect(last.committed.map(({ index }) => index)).toEqual([10, 11])
    expect(server.state).toMatchObject({ handedIndex: 11, appliedIndex: 9 })
  })

  it('not when it has applied as much already: then only the log is shortened', () => {
    const server = follower({ log: [1, 1, 1], term: 3 })
    server.receive('b', installOf(3, keptOf(2, 1)))
    server.receive('b', heartbeat(3, 3, 1, 1))
    server.take(applied(3))
    const step = server.work()
    expect(step.disk).toEqual([{ type: 'forget', before: 3 }])
    expect(messagesOf(step, 'b')).toEqual([appended(3, 2)])
    expect(server.state).toMatchObject({ snapshot: markOf(2, 1), restoring: undefined })
    expect(server.state).toMatchObject({ commitIndex: 3, handedIndex: 3, appliedIndex: 3 })
    expect(server.state.log).toMatchObject({ base: { index: 2 }, lastIndex: 3 })
  })

  it('only the newest: pieces of an older one are not given to it [bug 60]', () => {
    const server = receiver()
    const old = server.disk.asked
    expect(old).toMatchObject([{ type: 'readChunk', index: 9, offset: 0 }])
    server.receive('b', installOf(3, keptOf(12, 3)))
    const read = server.disk.work()!
    server.work()
    expect(server.state.restoring).toMatchObject({ mark: markOf(12, 3), end: 0 })
    expect(server.take(read).restore).toBeUndefined()
    expect(server.take(restored(true)).state.restoring).toBeDefined()
    expect(server.state).toMatchObject({ handedIndex: 2, appliedIndex: 2 })
    while (server.work().restore === undefined);
    server.take(restored(true, 12))
    expect(server.state).toMatchObject({ restoring: undefined, handedIndex: 12 })
  })

  it('and a read is answered when it is applied, not while it is half there', () => {
    const server = receiver(100)
    server.take({ type: 'read', ticket: 5 })
    const reply = { type: 'readIndexReply', term: 3, ticket: 5, index: 9 } as const
    expect(server.receive('b', reply).answers).toEqual([])
    while (server.work().restore === undefined);
    expect(server.take(restored(true)).answers).toEqual([{ type: 'readable', ticket: 5 }])
  })

  it('a piece only once, however often it is read', () => {
    const server = receiver()
    const read = server.disk.work()!
    expect(server.take(read).restore).toMatchObject({ offset: 0 })
    expect(server.take(read).restore).toBeUndefined()
  })

  it('what it had still to apply before does not set it back', () => {
    const server = receiver(100)
    while (server.work().restore === undefined);
    server.take(restored(true))
    expect(server.take(applied(2)).state.appliedIndex).toBe(9)
  })

  it('its loss stops the node: nothing else stands for those entries', () => {
    const server = receiver()
    server.disk.snapshot = undefined
    expect(() => server.work()).toThrow(InvariantError)
  })
})

describe('a server that starts with a snapshot', () => {
  it.each([
    ['and nothing else', undefined, [], { base: 5, last: 5 }, true],
    ['and the log behind it', { index: 5, term: 2 }, [2, 3], { base: 5, last: 7 }, false],
    ['and the whole log', undefined, [1, 1, 2, 2, 2, 3], { base: 0, last: 6 }, false],
    ['and a log that ends with it', undefined, [1, 1, 2, 2, 2], { base: 0, last: 5 }, false],
    ['and a log that ends before it', undefined, [1, 1, 2], { base: 5, last: 5 }, true],
    ['and another log', undefined, [1, 1, 1, 1, 1, 1], { base: 5, last: 5 }, true],
  ])('%s goes on from where they meet [bug 27]', (_, base, log, { base: first, last }, isReset) => {
    const server = follower({
      ...{ snapshot: keptOf(5, 2), log, term: 4 },
      ...(base && { base }),
    })
    const { state, disk } = server
    expect(state.log).toMatchObject({ base: { index: first }, lastIndex: last })
    expect(state).toMatchObject({ commitIndex: 5, handedIndex: 0, snapshot: markOf(5, 2) })
    expect(state.restoring).toMatchObject({ mark: markOf(5, 2), end: 0 })
    expect(disk.pending).toHaveLength(isReset ? 1 : 0)
    if (isReset) expect(disk.pending[0]?.reset).toEqual({ index: 5, term: 2 })
    server.saveAll()
    restoreAll(server)
    expect(server.state).toMatchObject({ handedIndex: 5, appliedIndex: 5, commitIndex: 5 })
  })

  it('and a tail before it keeps what the disk has, but for the entry whose past is gone [bug 27]', () => {
    const server = follower({
      ...{ snapshot: keptOf(5, 2), base: { index: 2, term: 1 }, log: [1, 2, 2, 2], term: 2 },
    })
    expect(server.state.log).toMatchObject({ base: { index: 3, term: 1 }, lastIndex: 6 })
    expect(termsIn(server.state.log)).toEqual([2, 2, 2])
    expect(server.disk.pending).toEqual([])
  })

  it('and a tail that is of another log forgets it', () => {
    const server = follower({
      ...{ snapshot: keptOf(5, 2), base: { index: 2, term: 1 }, log: [1, 1, 1, 1], term: 2 },
    })
    expect(server.state.log).toMatchObject({ base: { index: 5, term: 2 }, lastIndex: 5 })
    expect(server.disk.pending).toMatchObject([{ reset: { index: 5, term: 2 } }])
  })

  it('of a later term than its ballot is in that term and has promised nothing there', () => {
    const server = follower({ snapshot: keptOf(5, 4), log: [1, 1], term: 2, vote: 'b' })
    expect(server.state).toMatchObject({ term: 4, vote: undefined })
    server.saveAll()
    expect(server.disk).toMatchObject({ ballot: { term: 4, vote: undefined }, log: [] })
  })

  it('votes by its snapshot, when there is nothing behind it (§5.4.1)', () => {
    const server = follower({ snapshot: keptOf(5, 2), term: 2 })
    server.now += 1000
    expect(messagesOf(server.receive('b', ask(3, 4, 2)))).toMatchObject([{ granted: false }])
    server.receive('b', ask(4, 5, 2))
    expect(server.saveAll()).toContainEqual({ type: 'vote', term: 4, pre: false, granted: true })
  })

  it('gives the state machine only what comes behind it', () => {
    const server = follower({ snapshot: keptOf(5, 2), log: [1, 1, 2, 2, 2, 3], term: 3 })
    const step = server.receive('b', heartbeat(3, 6, 1))
    expect(step.committed).toEqual([])
    while (server.work().restore === undefined);
    const last = server.take({ type: 'pieceRestored', index: 5, isLast: true })
    expect(last.committed.map(({ index }) => index)).toEqual([6])
  })
})
