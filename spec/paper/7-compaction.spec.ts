import { foundingMembers } from '../../lib/members.ts'
import { describe, expect, it } from 'vitest'
import { about, Cluster } from '../lib/bench/cluster.ts'
import { entriesIn, logOf, termsIn } from '../lib/bench/entries.ts'
import { append, heartbeat } from '../lib/bench/messages.ts'
import { follower, leader, messagesOf, type Options, type Server } from '../lib/bench/server.ts'
import {
  applied,
  captured,
  installOf,
  keptOf,
  markOf,
  restoreAll,
  snapshotNow,
} from '../lib/bench/snapshots.ts'

/** A follower that has applied all of a log of term 1, and then taken a snapshot of it in one piece. */
function compacted(count: number, options: Options = {}): Server {
  const log = Array.from({ length: count }, () => 1)
  const server = follower({ log, snapshotEntries: count, ...options })
  server.receive('b', heartbeat(1, count))
  server.take(applied(count))
  snapshotNow(server)
  return server
}

/** Three servers of which `c` was away until the others had compacted what it needs. */
function withStraggler(snapshotEntries = 5): Cluster {
  const cluster = new Cluster('abc', { snapshotEntries })
  cluster.elect('a', 'c')
  // So long ago that nobody waits for it.
  cluster.pass(1000)
  for (const text of 'opqrstuvwxyz') {
    cluster.propose('a', text)
    cluster.settle('c')
  }
  return cluster
}

/** Milliseconds between two pulses. */
const PULSE = 50

/** The leader's pulse, again and again: what was lost is found. */
function beat(cluster: Cluster, leads = 'a'): void {
  for (let i = 0; i < 5; i++) {
    cluster.pass(PULSE)
    cluster.heartbeat(leads)
    cluster.settle()
  }
}

/** One round in which everything on its way arrives, and every disk does one thing. */
function round(cluster: Cluster, isWorking: (id: string) => boolean = () => true): void {
  cluster.pass(PULSE)
  cluster.heartbeat('a')
  cluster.deliver()
  for (const { id, disk } of cluster.servers) {
    if (!cluster.isUp(id)) continue
    if (disk.pending.length > 0) cluster.save(id)
    if (isWorking(id) && disk.asked.length > 0) cluster.work(id)
    if (cluster.machine(id).pending.length > 0) cluster.say(id)
  }
}

describe('§7 snapshots', () => {
  it('§7 the log cannot grow without bound: behind enough entries it is cut off, again and again', () => {
    const cluster = new Cluster('abc', { snapshotEntries: 5 })
    cluster.elect('a')
    for (let i = 0; i < 50; i++) {
      cluster.propose('a', `x${i}`)
      cluster.settle()
      cluster.heartbeat('a')
      cluster.settle()
      for (const { state } of cluster.servers) expect(state.log.length).toBeLessThan(10)
    }
    for (const { disk } of cluster.servers) expect(disk.log.length).toBeLessThan(10)
  })

  it('§7 the entire system state is written to a snapshot on stable storage, then the log up to that point is discarded', () => {
    const server = follower({ log: [1, 1, 1], snapshotEntries: 3 })
    server.receive('b', heartbeat(1, 3))
    server.take(applied(3))
    server.take(captured({ index: 3, term: 1 }, 0, 100, true))
    expect(termsIn(server.state.log)).toEqual([1, 1, 1])
    const { disk } = server.work()
    expect(server.disk.snapshot?.mark).toEqual(markOf(3))
    expect(termsIn(server.state.log)).toEqual([])
    expect(disk).toEqual([{ type: 'forget', before: 4 }])
  })

  it('§7 each server takes snapshots independently, without the knowledge of the leader', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.settle()
    cluster.heartbeat('a')
    cluster.settle()
    cluster.snapshot('c')
    cluster.settle('a', 'b')
    expect(cluster.server('c').state.snapshot?.index).toBe(2)
    expect(cluster.server('a').state.snapshot).toBeUndefined()
    cluster.propose('a', 'y')
    cluster.settle()
    expect(cluster.terms('c')).toEqual([1])
  })

  it('§7 a snapshot covers just the committed entries, of which the last is the last that was applied', () => {
    const server = follower({ log: [1, 1, 1, 1], snapshotEntries: 2 })
    server.receive('b', heartbeat(1, 3))
    expect(server.state.taking).toBeUndefined()
    server.take(applied(2))
    snapshotNow(server)
    expect(server.state.snapshot).toMatchObject({ index: 2, term: 1 })
    expect(entriesIn(server.state.log).map(({ index }) => index)).toEqual([3, 4])
  })

  it('§7 it includes the last included index and the term of that entry', () => {
    expect(compacted(3).disk.snapshot?.mark).toMatchObject({ index: 3, term: 1 })
  })

  it('§7 these support the consistency check for the first entry behind it, which needs a previous index and term', () => {
    const server = compacted(3)
    expect(messagesOf(server.receive('b', append(2, [3, 2], logOf([2], 4))))).toMatchObject([
      { type: 'rejected', prevIndex: 3 },
    ])
    server.receive('b', append(2, [3, 1], logOf([2], 4)))
    expect(termsIn(server.state.log)).toEqual([2])
  })

  it('§7 it includes the configuration as of its last entry', () => {
    expect(compacted(3).disk.snapshot?.mark.members).toEqual(foundingMembers(['a', 'b', 'c']))
  })

  it('§7 once it is written, a server may delete all entries through its last one, and any prior snapshot', () => {
    const server = compacted(3)
    server.receive('b', append(1, [3, 1], logOf([1, 1, 1], 4), 6))
    server.save()
    server.take(applied(6))
    while (server.disk.asked.length > 0) server.work()
    snapshotNow(server)
    while (server.disk.asked.length > 0) server.work()
    expect(server.disk).toMatchObject({ snapshot: { mark: markOf(6) }, log: [] })
  })

  it('§7 a server that restarts has its state from the snapshot, and only later entries from the log', () => {
    const cluster = new Cluster('a', { snapshotEntries: 4 })
    cluster.elect('a')
    for (const text of 'vwxyz') {
      cluster.propose('a', text)
      cluster.settle()
    }
    const { snapshot } = cluster.server('a').state
    expect(snapshot?.index).toBe(4)
    cluster.crash('a')
    cluster.restart('a')
    expect(cluster.commitIndex('a')).toBe(4)
    cluster.elect('a')
    expect(cluster.machine('a').state.map(({ text }) => text)).toEqual(['', ...'vwxyz', ''])
  })
})

describe('§7 when to take one', () => {
  it('§7 one simple strategy is to take one when the log reaches a fixed size in bytes', () => {
    const size = logOf([1])[0]!.bytes.length
    const server = follower({ log: [1, 1, 1], snapshotBytes: 3 * size })
    server.receive('b', heartbeat(1, 3))
    expect(server.take(applied(2)).capture).toBeUndefined()
    expect(server.take(applied(3)).capture).toBe('first')
  })

  it('§7 writing one does not delay normal operation: entries are taken in, committed and applied meanwhile, and are not in it', () => {
    const server = follower({ log: [1, 1, 1], snapshotEntries: 3 })
    server.receive('b', heartbeat(1, 3))
    server.take(applied(3))
    server.take(captured({ index: 3, term: 1 }, 0, 100, false))
    server.receive('b', append(1, [3, 1], logOf([1], 4), 4))
    expect(messagesOf(server.save(), 'b')).toMatchObject([{ type: 'appended', match: 4 }])
    expect(server.take(applied(4)).state.appliedIndex).toBe(4)
    server.work()
    server.take(captured({ index: 3, term: 1 }, 100, 20, true))
    server.work()
    expect(server.state.snapshot?.index).toBe(3)
    expect(termsIn(server.state.log)).toEqual([1])
  })
})

describe('§7 a follower that lags behind', () => {
  it('§7 gets a snapshot when the leader has already discarded the next entry that it needs', () => {
    const cluster = withStraggler()
    expect(cluster.server('a').state.log.base.index).toBeGreaterThan(1)
    expect(cluster.server('a').progress('c').next).toBe(1)
    const sent = new Set<string>()
    for (let i = 0; i < 100 && cluster.server('c').state.snapshot === undefined; i++) {
      round(cluster)
      for (const { to, message } of cluster.wire) if (to === 'c') sent.add(message.type)
    }
    expect([...sent].sort()).toEqual(['install'])
    beat(cluster)
    expect(cluster.machine('c').state).toEqual(cluster.machine('a').state)
  })

  it('§7 and none when it has kept up: this is unlikely in normal operation', () => {
    const cluster = new Cluster('abc', { snapshotEntries: 3 })
    cluster.elect('a')
    for (let i = 0; i < 20; i++) {
      cluster.propose('a', `x${i}`)
      for (let j = 0; j < 20; j++) {
        const isInstall = cluster.wire.some(({ message }) => message.type === 'install')
        expect(isInstall).toBe(false)
        cluster.deliver()
        for (const { id, disk } of cluster.servers) {
          if (disk.pending.length > 0) cluster.save(id)
          if (disk.asked.length > 0) cluster.work(id)
          cluster.apply(id)
          if (cluster.machine(id).pending.length > 0) cluster.say(id)
        }
      }
    }
    expect(cluster.server('a').state.snapshot?.index).toBeGreaterThan(15)
  })

  it('§7 goes on with entries of the log once it has it', () => {
    const cluster = withStraggler()
    beat(cluster)
    cluster.propose('a', 'more')
    cluster.settle()
    expect(cluster.server('c').state.log).toMatchObject({
      lastIndex: cluster.server('a').state.log.lastIndex,
    })
    expect(cluster.server('a').progress('c')).toMatchObject({ sending: undefined })
  })

  it('§7 an idle leader brings it up to date as well [bug 47]', () => {
    const cluster = withStraggler(1)
    const { log } = cluster.server('a').state
    expect(log).toMatchObject({ length: 0, base: { index: log.lastIndex } })
    beat(cluster)
    expect(cluster.server('a').state.log.lastIndex).toBe(log.lastIndex)
    expect(cluster.server('c').state).toMatchObject({
      commitIndex: log.lastIndex,
      appliedIndex: log.lastIndex,
      snapshot: { index: log.lastIndex },
    })
    expect(cluster.server('a').progress('c')).toMatchObject({ match: log.lastIndex })
  })

  it('§7 gets it also when it takes ten times as long as a leader may be silent: it is not begun again [bug 57]', () => {
    const cluster = withStraggler()
    const offsets: number[] = []
    for (let i = 0; i < 400; i++) {
      const { snapshot, restoring } = cluster.server('c').state
      if (snapshot !== undefined && restoring === undefined) break
      // Every message takes a quarter of the shortest election timeout, and a disk a whole one.
      cluster.pass(25)
      round(cluster, () => i % 4 === 0)
      for (const { message } of cluster.wire) {
        if (message.type === 'install' && offsets.at(-1) !== message.offset) {
          offsets.push(message.offset)
        }
      }
    }
    expect(offsets.length).toBeGreaterThan(2)
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
    cluster.settle()
    expect(cluster.machine('c').state).toEqual(cluster.machine('a').state)
    expect(cluster.server('a').role).toBe('leader')
  })

  it('§7 gets it from the next leader when the link breaks in the middle and there is an election [bug 58]', () => {
    const cluster = withStraggler()
    for (let i = 0; i < 100 && cluster.server('c').state.receiving === undefined; i++) {
      round(cluster)
    }
    expect(cluster.server('c').state.receiving).toMatchObject({ from: 'a' })
    cluster.drop(about('c'))
    cluster.pass(500)
    cluster.timeout('c')
    cluster.timeout('b')
    cluster.settle('a')
    const next = cluster.servers.find(({ id, role }) => id !== 'a' && role === 'leader')
    expect(next?.id).toBe('b')
    cluster.propose('b', 'healed')
    beat(cluster, 'b')
    expect(cluster.machine('c').state).toEqual(cluster.machine('b').state)
    expect(cluster.machine('c').state.at(-1)?.text).toBe('healed')
  })

  it('§7 nothing counts it in before it has all of it, and the log, on its disk [bug 63]', () => {
    const cluster = withStraggler()
    cluster.crash('b')
    const matches = new Set<number>()
    for (let i = 0; i < 200 && cluster.server('c').disk.snapshot === undefined; i++) {
      round(cluster)
      matches.add(cluster.server('a').progress('c').match)
    }
    expect([...matches]).toEqual([0])
    cluster.settle('b')
    expect(cluster.server('a').progress('c').match).toBeGreaterThan(0)
  })
})

describe('Figure 13: InstallSnapshot', () => {
  it('§7 leaders always send chunks in order', () => {
    const server = leader({ snapshot: keptOf(5, 2, 400), base: { index: 5, term: 2 }, log: [2] })
    restoreAll(server)
    server.saveAll()
    server.receive('b', { type: 'rejected', term: 3, prevIndex: 6, hintIndex: 0, hintTerm: 0 })
    const offsets = [0, 150, 300].map((end) => {
      server.receive('b', { type: 'installed', term: 3, index: 5, end })
      const sent = []
      while (server.disk.asked.length > 0) sent.push(...messagesOf(server.work(), 'b'))
      return sent.map((message) => message.type === 'install' && message.offset)
    })
    expect(offsets.map((some) => some.at(-1))).toEqual([0, 150, 300])
  })

  it('§7 the receiver replies immediately if term < currentTerm (1)', () => {
    const server = follower({ term: 4 })
    const step = server.receive('b', installOf(3, keptOf(9, 3)))
    expect(messagesOf(step, 'b')).toMatchObject([{ term: 4 }])
    expect(server.state.receiving).toBeUndefined()
  })

  it('§7 it creates a new snapshot file if this is the first chunk, and writes data at the given offset (2, 3)', () => {
    const server = follower({ term: 3 })
    const kept = keptOf(9, 3)
    for (const offset of [0, 40, 80]) {
      expect(server.receive('b', installOf(3, kept, offset, 40)).disk).toMatchObject([
        { type: 'writeChunk', offset },
      ])
      server.work()
    }
    expect(server.disk.snapshot).toEqual(kept)
  })

  it('§7 it replies and waits for more chunks if done is false (4)', () => {
    const server = follower({ term: 3 })
    server.receive('b', installOf(3, keptOf(9, 3), 0, 40))
    expect(messagesOf(server.work(), 'b')).toEqual([
      { type: 'installed', term: 3, index: 9, end: 40 },
    ])
  })

  it('§7 it discards any existing or partial snapshot with a smaller index (5)', () => {
    const server = follower({ snapshot: keptOf(4, 2), base: { index: 4, term: 2 }, term: 3 })
    restoreAll(server)
    server.receive('b', installOf(3, keptOf(6, 3), 0, 40))
    server.work()
    server.receive('b', installOf(3, keptOf(9, 3)))
    server.work()
    expect(server.disk.snapshot?.mark.index).toBe(9)
    expect(server.state.snapshot?.index).toBe(9)
  })

  it('§7 it retains the entries that follow when its log has an entry with the same index and term (6)', () => {
    const server = follower({ log: [1, 2, 3, 3], term: 3 })
    server.receive('b', installOf(3, keptOf(2, 2)))
    expect(server.work().save).toBeUndefined()
    expect(entriesIn(server.state.log).map(({ index, term }) => [index, term])).toEqual([
      [3, 3],
      [4, 3],
    ])
  })

  it('§7 it discards the entire log otherwise, which may have uncommitted entries that conflict (7) [bug 12]', () => {
    const server = follower({ log: [1, 1, 1, 1], term: 3 })
    server.receive('b', installOf(3, keptOf(2, 2)))
    server.work()
    server.saveAll()
    expect(termsIn(server.state.log)).toEqual([])
    expect(server.disk).toMatchObject({ base: { index: 2, term: 2 }, log: [] })
  })

  it('§7 it resets the state machine using the contents of the snapshot (8)', () => {
    const server = follower({ log: [1, 1, 1, 1], term: 3 })
    const kept = keptOf(9, 3)
    server.receive('b', installOf(3, kept))
    server.work()
    expect(server.work().restore).toMatchObject({
      ...{ mark: kept.mark, offset: 0, bytes: kept.bytes, isLast: true },
    })
    server.take({ type: 'pieceRestored', index: 9, isLast: true })
    expect(server.state).toMatchObject({ appliedIndex: 9, commitIndex: 9 })
  })
})
