import { describe, expect, it } from 'vitest'
import { logOf } from './bench/entries.ts'
import { append } from './bench/messages.ts'
import { leader, messagesOf, proposal, type Server } from './bench/server.ts'
import { applied, bytesOf, keptOf, markOf, restoreAll, snapshotNow } from './bench/snapshots.ts'
import { sumOf } from './bench/disk.ts'

const installed = (term: number, index: number, end: number) =>
  ({ type: 'installed', term, index, end }) as const
const appended = (term: number, match: number) => ({ type: 'appended', term, match }) as const
const rejected = (term: number, prevIndex: number, hintIndex = 0, hintTerm = 0) =>
  ({ type: 'rejected', term, prevIndex, hintIndex, hintTerm }) as const
const pulsed = (term: number, round: number) => ({ type: 'heartbeatReply', term, round }) as const

/** A leader of term 3 whose log begins behind entry 5, which a snapshot of 400 bytes stands for. */
function sender(length = 400): Server {
  const server = leader({
    ...{ snapshot: keptOf(5, 2, length), base: { index: 5, term: 2 }, log: [2, 2] },
    checkQuorum: false,
  })
  restoreAll(server)
  server.saveAll()
  return server
}

/** What it sends while its disk does everything that it is asked. */
function sentBy(server: Server, to: string) {
  const sent = []
  while (server.disk.asked.length > 0) sent.push(...messagesOf(server.work(), to))
  return sent
}

describe('a leader whose log begins behind what a follower needs', () => {
  it('reads the first piece of its snapshot and sends it, with what it stands for', () => {
    const server = sender()
    const asked = server.receive('b', rejected(3, 7))
    expect(asked.disk).toEqual([{ type: 'readChunk', index: 5, offset: 0, reader: 'b' }])
    expect(messagesOf(asked, 'b')).toEqual([])
    const bytes = bytesOf(400).subarray(0, 150)
    expect(sentBy(server, 'b')).toEqual([
      {
        ...{ type: 'install', term: 3, index: 5, indexTerm: 2, members: markOf(5).members },
        ...{ offset: 0, bytes, isLast: false, checksum: 0 },
      },
    ])
  })

  it('sends piece after piece, the next when the last one is written, and the checksum with the last', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    expect(sentBy(server, 'b')).toMatchObject([{ offset: 0, isLast: false }])
    server.receive('b', installed(3, 5, 150))
    expect(sentBy(server, 'b')).toMatchObject([{ offset: 150, isLast: false }])
    server.receive('b', installed(3, 5, 300))
    expect(sentBy(server, 'b')).toMatchObject([
      { offset: 300, isLast: true, checksum: sumOf(bytesOf(400)) },
    ])
  })

  it('goes on with entries when the follower has all of it, and not before [bug 63]', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    sentBy(server, 'b')
    const step = server.receive('b', installed(3, 5, 150))
    expect(server.progress('b')).toMatchObject({ match: 0, next: 1 })
    expect(messagesOf(step, 'b')).toEqual([])
    const done = server.receive('b', appended(3, 5))
    expect(messagesOf(done, 'b')).toMatchObject([{ type: 'append', prevIndex: 5, prevTerm: 2 }])
    expect(server.progress('b')).toMatchObject({ match: 5, sending: undefined, probing: false })
  })

  it('counts a piece as heard from the follower, but not as a disk that holds anything', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    server.now += 50
    server.receive('b', installed(3, 5, 150))
    expect(server.progress('b').contact).toBe(server.now)
    expect(server.state.commitIndex).toBe(5)
  })

  it('begins anew for whoever has entries of an earlier term up to where the log begins', () => {
    const server = sender()
    server.receive('b', rejected(3, 7, 7, 1))
    expect(server.progress('b').sending).toMatchObject({ index: 5, offset: 0 })
  })

  it('sends no append and names no term of an entry that it does not have any more [bug 18]', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    const pulse = server.take({ type: 'heartbeatTimeout' })
    expect(messagesOf(pulse, 'b')).toMatchObject([{ type: 'heartbeat', commit: 0, commitTerm: 0 }])
    const { round } = server.leader
    expect(messagesOf(server.receive('b', pulsed(3, round)), 'b')).toEqual([])
    expect(messagesOf(server.take(proposal(1, 'x')), 'b')).toEqual([])
  })

  it('nor when what it had sent before is cut off its log meanwhile [bug 18]', () => {
    const server = leader({ log: [1, 1, 1], snapshotEntries: 4, maxInflightMessages: 1 })
    const { term } = server.state
    server.receive('b', rejected(term, 3, 1, 1))
    expect(server.progress('b').inflight).toHaveLength(1)
    server.receive('c', appended(term, 4))
    server.take(applied(4))
    snapshotNow(server)
    expect(server.state.log.base.index).toBe(4)
    server.take({ type: 'heartbeatTimeout' })
    const step = server.receive('b', pulsed(term, server.leader.round))
    expect(messagesOf(step, 'b').filter(({ type }) => type === 'append')).toEqual([])
  })

  it('sends a piece again when pulses are answered and the piece is not', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    sentBy(server, 'b')
    const rounds = [1, 2, 3, 4].map(() => {
      server.now += 50
      server.take({ type: 'heartbeatTimeout' })
      server.receive('b', pulsed(3, server.leader.round))
      return sentBy(server, 'b').filter(({ type }) => type === 'install').length
    })
    expect(rounds.reduce((sum, count) => sum + count)).toBe(1)
    expect(rounds[0]).toBe(0)
  })

  it('gives a piece its time, however many pulses reads make meanwhile', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    sentBy(server, 'b')
    const resent = (): number => {
      server.take({ type: 'heartbeatTimeout' })
      server.receive('b', pulsed(3, server.leader.round))
      return sentBy(server, 'b').filter(({ type }) => type === 'install').length
    }
    for (let i = 0; i < 100; i++) expect(resent()).toBe(0)
    server.now += server.config.electionTimeoutMin
    expect(resent()).toBe(1)
    for (let i = 0; i < 100; i++) expect(resent()).toBe(0)
  })

  it('sends nothing again to a follower that is silent', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    sentBy(server, 'b')
    for (let i = 0; i < 20; i++) server.take({ type: 'heartbeatTimeout' })
    expect(sentBy(server, 'b')).toEqual([])
  })

  it('begins again where the follower says that it is', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    sentBy(server, 'b')
    server.receive('b', installed(3, 5, 300))
    expect(sentBy(server, 'b')).toMatchObject([{ offset: 300 }])
    server.receive('b', installed(3, 5, 0))
    expect(sentBy(server, 'b')).toMatchObject([{ offset: 0 }])
  })

  it('takes no notice of an answer about another snapshot', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    sentBy(server, 'b')
    const { sending } = server.progress('b')
    server.receive('b', installed(3, 4, 150))
    server.receive('c', installed(3, 5, 150))
    expect(server.progress('b').sending).toEqual(sending)
    expect(server.progress('c').sending).toBeUndefined()
    expect(sentBy(server, 'b')).toEqual([])
  })

  it('begins with the newer snapshot when the disk no longer has the one that it sent', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    sentBy(server, 'b')
    server.receive('c', appended(3, 8))
    server.take(applied(8))
    server.now += 1000
    server.take({ type: 'snapshotWanted', ticket: 1 })
    expect(server.state.taking).toBeDefined()
    snapshotNow(server)
    expect(server.state.snapshot?.index).toBe(8)
    server.receive('b', installed(3, 5, 150))
    const sent = sentBy(server, 'b')
    expect(sent).toMatchObject([{ type: 'install', index: 8, offset: 0 }])
  })

  it('lets who needs it commit nothing: the term of the entry that it names is not here any more', () => {
    const server = leader({ log: [1, 1, 1], snapshotEntries: 4, maxInflightMessages: 1 })
    const { term } = server.state
    server.receive('b', appended(term, 2))
    server.receive('c', appended(term, 4))
    server.take(applied(4))
    snapshotNow(server)
    expect(server.progress('b')).toMatchObject({ match: 2 })
    expect(messagesOf(server.take({ type: 'heartbeatTimeout' }), 'b')).toMatchObject([
      { type: 'heartbeat', commit: 2, commitTerm: 0 },
    ])
  })

  it('does not send what it read for a place at which the follower is no more', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    const read = server.disk.work()!
    server.receive('b', installed(3, 5, 150))
    expect(messagesOf(server.take(read))).toEqual([])
    expect(sentBy(server, 'b')).toMatchObject([{ offset: 150 }])
  })

  it('does not send a piece of one snapshot as a piece of the next', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    const read = server.disk.work()!
    server.receive('c', appended(3, 8))
    server.take(applied(8))
    server.now += 1000
    server.take({ type: 'snapshotWanted', ticket: 1 })
    snapshotNow(server)
    expect(messagesOf(server.take(read), 'b')).toEqual([])
    expect(server.progress('b').sending).toMatchObject({ index: 8, offset: 0 })
  })

  it('delivers nothing that was read for a role that it has no more', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    server.receive('c', append(4, [7, 2], logOf([4], 8)))
    expect(server.role).toBe('follower')
    expect(sentBy(server, 'b')).toEqual([])
  })

  it('sends a snapshot to two at once, each at its own place', () => {
    const server = sender()
    server.receive('b', rejected(3, 7))
    server.receive('c', rejected(3, 7))
    sentBy(server, 'b')
    server.receive('b', installed(3, 5, 150))
    expect(server.progress('b').sending?.offset).toBe(150)
    expect(server.progress('c').sending?.offset).toBe(0)
  })
})
