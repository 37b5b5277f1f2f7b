import { describe, expect, it } from 'vitest'
import { booting } from '../../lib/state.ts'
import { reduce } from '../../lib/step.ts'
import { batchOf, logOf, termsIn } from './bench/entries.ts'
import { append, ask, heartbeat, vote } from './bench/messages.ts'
import {
  configOf,
  follower,
  leader,
  messagesOf,
  type Options,
  type Server,
} from './bench/server.ts'
import {
  applied,
  bytesOf,
  captured,
  installOf,
  keptOf,
  markOf,
  snapshotNow,
} from './bench/snapshots.ts'

/** A follower that has applied `count` entries of term 1. */
function ready(count: number, options: Options = {}): Server {
  const server = follower({ log: Array.from({ length: count }, () => 1), ...options })
  server.receive('b', heartbeat(1, count))
  server.take(applied(count))
  return server
}

/** It gets and applies one more entry, durably. */
function grow(server: Server) {
  const { lastIndex, lastTerm } = server.state.log
  const next = logOf([1], lastIndex + 1)
  server.receive('b', append(1, [lastIndex, lastTerm], next, lastIndex + 1))
  server.save()
  return server.take(applied(lastIndex + 1))
}

const taken = (ticket: number, index: number) => ({ type: 'snapshotTaken', ticket, index }) as const

describe('a snapshot is taken', () => {
  it('when so many entries were applied since the last one: committed ones do not count', () => {
    const server = ready(2, { snapshotEntries: 3 })
    server.receive('b', append(1, [2, 1], logOf([1], 3), 3))
    expect(server.state).toMatchObject({ commitIndex: 3, handedIndex: 3, taking: undefined })
    expect(server.take(applied(3)).capture).toBe('first')
    expect(server.state.taking).toMatchObject({ mark: undefined, end: 0 })
  })

  it('when so many bytes of entries were applied since the last one', () => {
    const size = logOf([1])[0]!.bytes.length
    expect(ready(3, { snapshotBytes: 3 * size + 1 }).state.taking).toBeUndefined()
    const server = ready(3, { snapshotBytes: 3 * size })
    expect(server.state.taking).toBeDefined()
    snapshotNow(server)
    expect([grow(server).capture, grow(server).capture]).toEqual([undefined, undefined])
    expect(grow(server).capture).toBe('first')
  })

  it('again after as many more, and not before', () => {
    const server = ready(3, { snapshotEntries: 3 })
    snapshotNow(server)
    expect(server.state.snapshot).toEqual(markOf(3))
    expect([grow(server).capture, grow(server).capture]).toEqual([undefined, undefined])
    expect(grow(server).capture).toBe('first')
  })

  it('when somebody wants one, who hears of it when it is durable and not before', () => {
    const server = ready(2)
    expect(server.take({ type: 'snapshotWanted', ticket: 7 })).toMatchObject({
      capture: 'first',
      answers: [],
    })
    expect(server.take(captured({ index: 2, term: 1 }, 0, 10, true)).answers).toEqual([])
    expect(server.work().answers).toEqual([taken(7, 2)])
    expect(server.state.snapshotTickets).toEqual([])
  })

  it('not again for what one stands for already: whoever wants it is told at once', () => {
    const server = ready(2, { snapshotEntries: 2 })
    snapshotNow(server)
    const step = server.take({ type: 'snapshotWanted', ticket: 1 })
    expect(step).toMatchObject({ answers: [taken(1, 2)], capture: undefined })
  })

  it('of nothing when nothing was applied: there is nothing to wait for', () => {
    const step = follower().take({ type: 'snapshotWanted', ticket: 1 })
    expect(step.answers).toEqual([taken(1, 0)])
  })

  it('once more for whoever came after it was begun, when more was applied since', () => {
    const server = ready(2, { snapshotEntries: 2 })
    grow(server)
    server.take({ type: 'snapshotWanted', ticket: 1 })
    server.take(captured({ index: 2, term: 1 }, 0, 10, true))
    const first = server.work()
    expect(first).toMatchObject({ answers: [], capture: 'first' })
    server.take(captured({ index: 3, term: 1 }, 0, 10, true))
    server.disk.asked = server.disk.asked.filter(({ type }) => type !== 'forget')
    expect(server.work().answers).toEqual([taken(1, 3)])
  })

  it('also for whoever asked before the disk had spoken: nobody waits for ever', () => {
    const wanted = { type: 'snapshotWanted', ticket: 3, at: 0 } as const
    const early = reduce(booting(configOf('a')), [wanted])
    expect(early.answers.length + early.state.snapshotTickets.length).toBe(1)
  })
})

describe('its pieces', () => {
  it('go to the disk one at a time: the next is asked for when the last is written', () => {
    const server = ready(3, { snapshotEntries: 3 })
    const first = server.take(captured({ index: 3, term: 1 }, 0, 40, false))
    expect(first.disk).toEqual([
      {
        ...{ type: 'writeChunk', mark: markOf(3), offset: 0, bytes: bytesOf(40) },
        ...{ isLast: false, checksum: undefined },
      },
    ])
    expect(first.capture).toBeUndefined()
    expect(server.work().capture).toBe('next')
    const last = server.take(captured({ index: 3, term: 1 }, 40, 20, true))
    expect(last.disk).toMatchObject([{ type: 'writeChunk', offset: 40, isLast: true }])
    expect(server.state.snapshot).toBeUndefined()
    expect(server.work().capture).toBeUndefined()
    expect(server.state).toMatchObject({ snapshot: markOf(3), taking: undefined })
    expect(server.disk.snapshot?.bytes).toHaveLength(60)
  })

  it('stand for what the machine had applied when it began, whatever was applied since', () => {
    const server = ready(3, { snapshotEntries: 3 })
    server.take(captured({ index: 3, term: 1 }, 0, 40, false))
    grow(server)
    server.work()
    server.take(captured({ index: 3, term: 1 }, 40, 20, true))
    server.work()
    expect(server.state.snapshot).toEqual(markOf(3))
    expect(termsIn(server.state.log)).toEqual([1])
    expect(server.state.log.base).toEqual({ index: 3, term: 1 })
  })

  it('that do not go on where the last one ended are not written', () => {
    const server = ready(3, { snapshotEntries: 3 })
    expect(server.take(captured({ index: 3, term: 1 }, 8, 8, true)).disk).toEqual([])
    server.take(captured({ index: 3, term: 1 }, 0, 8, false))
    expect(server.take(captured({ index: 3, term: 1 }, 0, 8, false)).disk).toEqual([])
    expect(server.take(captured({ index: 3, term: 1 }, 9, 8, true)).disk).toEqual([])
  })

  it('that nobody asked for are not written', () => {
    expect(ready(3).take(captured({ index: 3, term: 1 }, 0, 8, true)).disk).toEqual([])
  })

  it('of which another one is written change nothing', () => {
    const server = ready(3, { snapshotEntries: 3 })
    server.take(captured({ index: 3, term: 1 }, 0, 8, true))
    const { state } = server
    server.take({ type: 'chunkWritten', index: 2, end: 8, isLast: true })
    server.take({ type: 'chunkWritten', index: 3, end: 7, isLast: true })
    expect(server.state).toMatchObject({ taking: state.taking, snapshot: undefined })
    expect(server.state.log.base.index).toBe(0)
  })

  it('that the disk could not keep are forgotten, and after a pause the snapshot is begun anew', () => {
    const server = ready(3, { snapshotEntries: 3 })
    server.take(captured({ index: 3, term: 1 }, 0, 8, false))
    expect(server.take({ type: 'chunkRefused', index: 3 }).capture).toBeUndefined()
    server.now += 1_999
    expect(server.take(applied(3)).capture).toBeUndefined()
    server.now += 1
    expect(server.take(applied(3)).capture).toBe('first')
    expect(server.state).toMatchObject({ snapshot: undefined, taking: { end: 0, mark: undefined } })
    expect(server.state.log.base.index).toBe(0)
  })
})

describe('the log behind a durable snapshot', () => {
  it('is shortened, in memory and on the disk, only once the whole is durable', () => {
    const server = ready(3, { snapshotEntries: 3 })
    server.take(captured({ index: 3, term: 1 }, 0, 8, true))
    expect(termsIn(server.state.log)).toEqual([1, 1, 1])
    const step = server.work()
    expect(server.state.log).toMatchObject({ base: { index: 3, term: 1 }, lastIndex: 3, length: 0 })
    expect(step.disk).toEqual([{ type: 'forget', before: 4 }])
  })

  it('keeps a tail of so many bytes, for followers that are a little behind', () => {
    const size = logOf([1])[0]!.bytes.length
    const server = ready(5, { snapshotEntries: 5, snapshotTailBytes: 2 * size - 1 })
    const { disk } = snapshotNow(server)
    expect(server.state.log.base).toEqual({ index: 3, term: 1 })
    expect(disk).toEqual([{ type: 'forget', before: 4 }])
    expect(termsIn(server.state.log)).toEqual([1, 1])
  })

  it('stays as it is when the tail is longer than it', () => {
    const server = ready(5, { snapshotEntries: 5, snapshotTailBytes: 1000 })
    expect(snapshotNow(server).disk).toEqual([{ type: 'forget', before: 1 }])
    expect(server.state.log).toMatchObject({ base: { index: 0 }, lastIndex: 5 })
    expect(server.state.snapshot).toEqual(markOf(5))
  })

  it('never loses an entry that the snapshot does not stand for, in whatever batch it is', () => {
    const server = follower({ snapshotEntries: 2, term: 1 })
    server.receive('b', append(1, [0, 0], [batchOf(1, 1, ['a', 'b', 'c', 'd'])], 4))
    server.save()
    server.take(applied(2))
    server.take(captured({ index: 2, term: 1 }, 0, 8, true))
    server.work()
    expect(server.state.snapshot?.index).toBe(2)
    expect(server.state.log.base.index).toBe(0)
    expect(termsIn(server.state.log)).toEqual([1, 1, 1, 1])
  })
})

describe('whoever the server becomes meanwhile', () => {
  it('its snapshot goes on: a candidate and a leader have one, too', () => {
    const server = ready(3, { snapshotEntries: 3, preVote: false })
    server.take(captured({ index: 3, term: 1 }, 0, 8, false))
    server.now += 1000
    server.take({ type: 'electionTimeout' })
    expect(server.role).toBe('candidate')
    expect(server.work().capture).toBe('next')
    server.save()
    server.receive('b', vote(2))
    expect(server.role).toBe('leader')
    server.take(captured({ index: 3, term: 1 }, 8, 8, true))
    server.work()
    expect(server.state.snapshot).toEqual(markOf(3))
    expect(termsIn(server.state.log)).toEqual([2])
  })

  it('a vote for somebody else does not stop it', () => {
    const server = ready(3, { snapshotEntries: 3 })
    server.take(captured({ index: 3, term: 1 }, 0, 8, true))
    server.now += 1000
    server.receive('c', ask(2, 3, 1))
    server.work()
    expect(server.state).toMatchObject({ term: 2, vote: 'c', snapshot: markOf(3) })
  })

  it('the pieces of a leader come first: its own snapshot is given up for them', () => {
    const server = ready(3, { snapshotEntries: 3 })
    server.take(captured({ index: 3, term: 1 }, 0, 8, false))
    server.receive('b', installOf(1, keptOf(9), 0, 40))
    expect(server.state).toMatchObject({ taking: undefined, receiving: { mark: markOf(9) } })
    server.work()
    expect(server.work().capture).toBeUndefined()
    expect(server.take(captured({ index: 3, term: 1 }, 8, 8, true)).disk).toEqual([])
  })

  it('but not when the disk has the last piece of it already, which then counts', () => {
    const server = ready(3, { snapshotEntries: 3 })
    server.take(captured({ index: 3, term: 1 }, 0, 8, true))
    server.receive('b', installOf(1, keptOf(9), 0, 40))
    server.work()
    expect(server.state.snapshot).toEqual(server.disk.snapshot?.mark)
  })
})

describe('none is taken', () => {
  it('while a leader sends one, which it would put in its place', () => {
    const server = ready(3, { snapshotEntries: 4 })
    server.receive('b', installOf(1, keptOf(9), 0, 40))
    expect(grow(server).capture).toBeUndefined()
    expect(server.state).toMatchObject({ appliedIndex: 4, taking: undefined })
  })

  it('but when the next leader does not go on with it, or the log has caught up with it', () => {
    const other = ready(3, { snapshotEntries: 4 })
    other.receive('b', installOf(1, keptOf(9), 0, 40))
    other.work()
    other.receive('c', append(2, [3, 1], logOf([1], 4), 4))
    expect(other.take(applied(4)).capture).toBe('first')

    const caughtUp = ready(3, { snapshotEntries: 4 })
    caughtUp.receive('b', installOf(1, keptOf(4), 0, 40))
    caughtUp.work()
    expect(grow(caughtUp).capture).toBe('first')
  })

  it('and never an older one over a newer one that the disk is about to have', () => {
    const server = ready(3, { snapshotEntries: 4 })
    server.receive('b', installOf(1, keptOf(9)))
    server.receive('c', append(2, [3, 1], logOf([1], 4), 4))
    expect(server.take(applied(4)).capture).toBeUndefined()
    server.work()
    expect(server.state.snapshot).toEqual(markOf(9))
  })

  it('while a follower is sent the last one, unless that follower is silent', () => {
    const server = leader({ voters: 'abc', log: [1, 1], snapshotEntries: 3, checkQuorum: false })
    const { term } = server.state
    server.receive('b', { type: 'appended', term, match: 3 })
    server.take(applied(3))
    snapshotNow(server)
    server.receive('c', { type: 'rejected', term, prevIndex: 2, hintIndex: 0, hintTerm: 0 })
    expect(server.progress('c').sending).toMatchObject({ index: 3, offset: 0 })
    server.take({
      type: 'proposed',
      ticket: 1,
      kind: 'command',
      count: 1,
      bytes: new Uint8Array(4),
    })
    server.take({
      type: 'proposed',
      ticket: 2,
      kind: 'command',
      count: 2,
      bytes: new Uint8Array(8),
    })
    server.saveAll()
    server.receive('b', { type: 'appended', term, match: 6 })
    expect(server.state.commitIndex).toBe(6)
    expect(server.take(applied(6)).capture).toBeUndefined()
    server.now += 199
    expect(server.receive('b', { type: 'heartbeatReply', term, round: 0 }).capture).toBeUndefined()
    server.now += 1
    expect(server.receive('b', { type: 'heartbeatReply', term, round: 0 }).capture).toBe('first')
  })

  it('while the state machine takes one over', () => {
    const server = follower({ snapshot: keptOf(5), snapshotEntries: 1, log: [], term: 1 })
    expect(server.state.restoring).toBeDefined()
    server.take({ type: 'snapshotWanted', ticket: 1 })
    expect(server.state.taking).toBeUndefined()
  })
})

it('a message about a snapshot from somebody else changes nothing', () => {
  const server = ready(3)
  expect(messagesOf(server.receive('b', { type: 'installed', term: 1, index: 3, end: 4 }))).toEqual(
    [],
  )
})
