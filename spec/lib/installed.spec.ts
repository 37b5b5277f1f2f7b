import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../lib/errors.ts'
import { batchOf, entriesIn, logOf, termsIn } from './bench/entries.ts'
import { append, heartbeat } from './bench/messages.ts'
import { follower, messagesOf, received } from './bench/server.ts'
import { installOf, keptOf, markOf } from './bench/snapshots.ts'
import { sumOf } from './bench/disk.ts'

const installed = (term: number, index: number, end: number) =>
  ({ type: 'installed', term, index, end }) as const
const appended = (term: number, match: number) => ({ type: 'appended', term, match }) as const
const pulsed = (term: number, round: number) => ({ type: 'heartbeatReply', term, round }) as const

describe('a follower that gets a snapshot', () => {
  it('writes each piece, asks for the next when it is written, and takes over nothing before the last', () => {
    const server = follower({ log: [1, 1], term: 3 })
    const kept = keptOf(9, 3, 90)
    const first = server.receive('b', installOf(3, kept, 0, 40))
    expect(first.disk).toMatchObject([
      { type: 'writeChunk', mark: kept.mark, offset: 0, isLast: false, checksum: undefined },
    ])
    expect(messagesOf(first)).toEqual([])
    expect(messagesOf(server.work(), 'b')).toEqual([installed(3, 9, 40)])
    expect(server.state).toMatchObject({ snapshot: undefined, commitIndex: 0 })
    server.receive('b', installOf(3, kept, 40, 40))
    expect(messagesOf(server.work(), 'b')).toEqual([installed(3, 9, 80)])
    const last = server.receive('b', installOf(3, kept, 80, 40))
    expect(last.disk).toMatchObject([{ isLast: true, checksum: sumOf(kept.bytes) }])
    expect(server.state.snapshot).toBeUndefined()
  })

  it('promises its entries when snapshot and log are durable, and not before [bug 63]', () => {
    const server = follower({ log: [1, 1], term: 3 })
    server.receive('b', installOf(3, keptOf(9, 3)))
    const whole = server.work()
    expect(messagesOf(whole)).toEqual([])
    expect(whole.save).toMatchObject({ reset: { index: 9, term: 3 }, batches: [] })
    expect(messagesOf(server.save(), 'b')).toEqual([appended(3, 9)])
  })

  it('knows where it is: the log goes on behind it and the commit index is no less [bug 28]', () => {
    const server = follower({ log: [1, 1], term: 3 })
    server.receive('b', installOf(3, keptOf(9, 3)))
    server.work()
    expect(server.state.log).toMatchObject({ base: { index: 9, term: 3 }, lastIndex: 9, length: 0 })
    expect(server.state).toMatchObject({ snapshot: markOf(9, 3), commitIndex: 9 })
    expect(server.state.restoring).toMatchObject({ mark: markOf(9, 3), end: 0 })
    server.save()
    server.receive('b', append(3, [9, 3], logOf([3], 10), 10))
    expect(server.saveAll()).toContainEqual(appended(3, 10))
    expect(server.disk).toMatchObject({ base: { index: 9, term: 3 }, log: [{ index: 10 }] })
  })

  it('says where to go on when a piece comes twice, too early or for nothing', () => {
    const server = follower({ term: 3 })
    const kept = keptOf(9, 3, 90)
    expect(messagesOf(server.receive('b', installOf(3, kept, 40, 40)))).toEqual([
      installed(3, 9, 0),
    ])
    server.receive('b', installOf(3, kept, 0, 40))
    expect(messagesOf(server.receive('b', installOf(3, kept, 0, 40)))).toEqual([])
    server.work()
    expect(messagesOf(server.receive('b', installOf(3, kept, 0, 40)))).toEqual([
      installed(3, 9, 40),
    ])
    expect(messagesOf(server.receive('b', installOf(3, kept, 80, 40)))).toEqual([
      installed(3, 9, 40),
    ])
    expect(server.disk.asked).toEqual([])
  })

  it('never mixes the pieces of two leaders, or of one in two terms', () => {
    const server = follower({ term: 3 })
    const kept = keptOf(9, 3, 90)
    server.receive('b', installOf(3, kept, 0, 40))
    server.work()
    expect(messagesOf(server.receive('c', installOf(4, kept, 40, 40)))).toEqual([
      installed(4, 9, 0),
    ])
    server.receive('c', installOf(4, kept, 0, 30))
    expect(server.state.receiving).toMatchObject({ from: 'c', term: 4, end: 30 })
    server.work()
    server.saveAll()
    expect(messagesOf(server.receive('c', installOf(5, kept, 30, 40)))).toEqual([
      installed(5, 9, 0),
    ])
  })

  it('takes what is written of one leader for nothing of the next', () => {
    const server = follower({ term: 3 })
    const kept = keptOf(9, 3, 90)
    server.receive('b', installOf(3, kept, 0, 40))
    server.receive('c', installOf(4, kept, 0, 30))
    expect(messagesOf(server.work())).toEqual([])
    expect(messagesOf(server.work(), 'c')).toEqual([installed(4, 9, 30)])
  })

  it('never mixes the pieces of two snapshots of one leader', () => {
    const server = follower({ term: 3 })
    server.receive('b', installOf(3, keptOf(9, 3, 90), 0, 40))
    server.work()
    expect(messagesOf(server.receive('b', installOf(3, keptOf(12, 3, 90), 40, 40)))).toEqual([
      installed(3, 12, 0),
    ])
    server.receive('b', installOf(3, keptOf(12, 3, 90), 0, 40))
    expect(messagesOf(server.work(), 'b')).toEqual([installed(3, 12, 40)])
  })

  it('tells nobody of a piece that an earlier leader sent', () => {
    const server = follower({ term: 3 })
    server.receive('b', installOf(3, keptOf(9, 3, 90), 0, 40))
    server.receive('c', heartbeat(4))
    expect(messagesOf(server.work()).filter(({ type }) => type === 'installed')).toEqual([])
  })

  it('takes over what an earlier leader sent wholly, and promises it to nobody [bug 60]', () => {
    const server = follower({ term: 3 })
    server.receive('b', installOf(3, keptOf(9, 3)))
    server.receive('c', heartbeat(4))
    server.work()
    expect(server.state).toMatchObject({ snapshot: markOf(9, 3), commitIndex: 9 })
    expect(server.saveAll().filter(({ type }) => type === 'appended')).toEqual([])
  })

  it('keeps track of the newest one when another begins before the disk has spoken [bug 60]', () => {
    const server = follower({ term: 3 })
    server.receive('b', installOf(3, keptOf(9, 3)))
    server.receive('c', installOf(4, keptOf(12, 3, 90), 0, 40))
    while (server.disk.asked.length > 0) server.work()
    expect(server.state.snapshot).toEqual(server.disk.snapshot?.mark)
    server.receive('c', installOf(4, keptOf(12, 3, 90), 0, 40))
    while (server.disk.asked.length > 0) server.work()
    server.receive('c', installOf(4, keptOf(12, 3, 90), 40))
    while (server.disk.asked.length > 0) server.work()
    expect(server.state.snapshot).toEqual(markOf(12, 3))
    expect(server.state.snapshot).toEqual(server.disk.snapshot?.mark)
  })

  it('has it sent again from the start when it is not what the checksum says', () => {
    const server = follower({ log: [1, 1], term: 3 })
    const { bytes, mark } = keptOf(9, 3)
    server.receive('b', { ...installOf(3, { mark, bytes }), checksum: 1 })
    expect(messagesOf(server.work(), 'b')).toEqual([installed(3, 9, 0)])
    expect(server.state).toMatchObject({ snapshot: undefined, receiving: undefined })
    expect(termsIn(server.state.log)).toEqual([1, 1])
    server.receive('b', installOf(3, { mark, bytes }))
    server.work()
    expect(server.state.snapshot).toEqual(mark)
  })

  it('that has it already says so, and writes nothing', () => {
    const server = follower({ log: [3, 3, 3], term: 3 })
    server.receive('b', heartbeat(3, 3))
    const step = server.receive('b', installOf(3, keptOf(2, 3)))
    expect(step.disk).toEqual([])
    expect(messagesOf(step, 'b')).toEqual([appended(3, 2)])
  })

  it('stops rather than take in another one of the same entry [bug 38]', () => {
    const server = follower({ log: [3, 3, 3], term: 4 })
    server.receive('b', heartbeat(4, 3, 1, 3))
    expect(() => server.receive('b', installOf(4, keptOf(3, 4)))).toThrow(InvariantError)
  })

  it('tells a leader of an earlier term of its own, and writes nothing', () => {
    const server = follower({ term: 4 })
    const step = server.receive('b', installOf(3, keptOf(9, 3)))
    expect(messagesOf(step, 'b')).toEqual([pulsed(4, 0)])
    expect(step.disk).toEqual([])
  })

  it('follows the leader that sends it, and waits for it as for a pulse', () => {
    const server = follower({ term: 3 })
    server.now += 1000
    server.receive('b', installOf(4, keptOf(9, 3), 0, 40))
    expect(server.state).toMatchObject({ term: 4, contact: server.now })
    expect(server.state.role).toMatchObject({ type: 'follower', leader: 'b' })
  })

  it('drops one whose last entry is of a later term than its leader', () => {
    const server = follower({ term: 3 })
    const { state } = server.receive('b', installOf(3, keptOf(9, 4)))
    expect(state).toMatchObject({ dropped: 1, receiving: undefined })
  })
})

describe('the log of whoever gets a snapshot', () => {
  it('keeps what follows the snapshot when it holds its last entry (§7)', () => {
    const server = follower({ log: [1, 1, 1, 1], term: 3 })
    server.receive('b', installOf(3, keptOf(3, 1)))
    const step = server.work()
    expect(step.save).toBeUndefined()
    expect(termsIn(server.state.log)).toEqual([1])
    expect(messagesOf(step, 'b')).toEqual([appended(3, 3)])
  })

  it.each([
    ['has another entry there', [1, 1, 1, 1]],
    ['ends before it', [1, 1]],
    ['is empty', []],
  ])('is gone as a whole when it %s [bug 12]', (_, log) => {
    const server = follower({ log, term: 3 })
    server.receive('b', installOf(3, keptOf(3, 2)))
    expect(server.work().save).toMatchObject({ reset: { index: 3, term: 2 } })
    expect(server.state.log).toMatchObject({ base: { index: 3, term: 2 }, lastIndex: 3, length: 0 })
    server.saveAll()
    expect(server.disk).toMatchObject({ base: { index: 3, term: 2 }, log: [] })
  })

  it('is not forgotten before its end is durable: the rest would look as if it followed the snapshot', () => {
    const server = follower({ log: [1, 1, 1, 1], term: 3 })
    server.receive('b', installOf(3, keptOf(3, 2)))
    const { save, disk } = server.work()
    expect(save).toMatchObject({ reset: { index: 3 } })
    expect(disk.filter(({ type }) => type === 'forget')).toEqual([])
  })

  it('writes nothing that came in the same turn for the log that is gone, and all that comes after', () => {
    const server = follower({ log: [1, 1], term: 3 })
    server.receive('b', installOf(3, keptOf(6, 3)))
    const written = server.disk.work()!
    const { save, state } = server.take(
      received('b', 'a', append(3, [2, 1], logOf([2], 3))),
      written,
      received('b', 'a', append(3, [6, 3], logOf([3, 3], 7))),
    )
    expect(save).toMatchObject({ reset: { index: 6, term: 3 } })
    expect(save?.batches.map(({ index }) => index)).toEqual([7, 8])
    expect(state.log).toMatchObject({ base: { index: 6 }, lastIndex: 8 })
    expect(server.saveAll()).toEqual([appended(3, 8)])
  })

  it('takes entries again that begin before it', () => {
    const server = follower({ snapshot: keptOf(5, 2), base: { index: 5, term: 2 }, term: 3 })
    server.receive('b', append(3, [3, 1], logOf([2, 2, 3, 3], 4)))
    expect(termsIn(server.state.log)).toEqual([3, 3])
    expect(server.saveAll()).toEqual([appended(3, 7)])
  })

  it('takes what is behind it of a batch that begins before it', () => {
    const server = follower({ snapshot: keptOf(5, 2), base: { index: 5, term: 2 }, term: 3 })
    server.receive('b', append(3, [3, 1], [batchOf(4, 2, ['d', 'e', 'f', 'g'])]))
    expect(entriesIn(server.state.log).map(({ index, text }) => `${index} ${text}`)).toEqual([
      '6 f',
      '7 g',
    ])
  })

  it('says yes to what the snapshot stands for, whatever the message knows of it', () => {
    const server = follower({ snapshot: keptOf(5, 2), base: { index: 5, term: 2 }, term: 3 })
    server.saveAll()
    expect(messagesOf(server.receive('b', append(3, [3, 1], [])))).toEqual([appended(3, 3)])
    expect(messagesOf(server.receive('b', append(3, [3, 1], logOf([2], 4))))).toEqual([
      appended(3, 4),
    ])
    expect(messagesOf(server.receive('b', heartbeat(3, 4, 1, 2)))).toEqual([pulsed(3, 1)])
  })
})
