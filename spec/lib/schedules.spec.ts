import { describe, expect, it } from 'vitest'
import { chanceOf, Chaos, narrow } from './bench/chaos.ts'
import type { Options, Server } from './bench/server.ts'

const steps = 400

/** One schedule: chance for some hundred steps, every one before the witness; then all must heal. */
function run(
  seed: number,
  ids: string,
  options: Options,
  joiners: string,
  witnesses: string,
): Chaos {
  const chaos = new Chaos(chanceOf(seed), ids, { ...narrow, ...options }, joiners, witnesses)
  try {
    for (let i = 0; i < steps; i++) chaos.step()
    chaos.heal()
    for (const server of chaos.cluster.servers) {
      chaos.cluster.witness.compare(server)
      expect(server.state.confirmed, 'no read waits for ever').toEqual([])
      expectSettled(chaos, server, witnesses.includes(server.id))
    }
  } catch (cause) {
    const where = `seed ${seed}, servers ${ids}, ${JSON.stringify(options)}`
    throw new Error(`${where}: ${(cause as Error).message}`, { cause })
  }
  return chaos
}

/** What snapshots must have come to when nothing happens any more. */
function expectSettled({ cluster }: Chaos, server: Server, isWitness: boolean): void {
  const { id, state, disk, config } = server
  const { committed } = cluster.witness
  expect(cluster.machine(id).position, 'all that is committed is applied').toBe(committed.length)
  if (!isWitness) expect(cluster.machine(id).state, 'and makes up the state').toEqual(committed)
  expect(state.snapshot, 'the newest snapshot of the disk is known').toEqual(disk.snapshot?.mark)
  const covered = state.snapshot?.index ?? 0
  expect(state.appliedIndex - covered, 'a snapshot that is due is taken').toBeLessThan(
    config.snapshotEntries,
  )
  expect(state.snapshotTickets, 'nobody waits for a snapshot for ever').toEqual([])
}

function runAll(
  count: number,
  ids: string,
  options: Options,
  joiners = '',
  witnesses = '',
): readonly Chaos[] {
  return Array.from({ length: count }, (_, i) => run(i + 1, ids, options, joiners, witnesses))
}

describe('whatever the schedule, Figure 3 holds, reads are linearizable and the cluster heals', () => {
  it.each<[string, string, Options]>([
    ['three servers', 'abc', {}],
    ['five servers', 'abcde', {}],
    ['four servers [bug 68]', 'abcd', {}],
    ['elections without asking in advance', 'abc', { preVote: false }],
    ['leaders that never step down by themselves', 'abcde', { checkQuorum: false }],
    ['one message at a time [bug 48]', 'abc', { maxInflightMessages: 1 }],
    ['batches larger than what may be in flight [bug 48]', 'abc', { maxInflightBytes: 10 }],
    ['messages of many batches', 'abc', { maxAppendBytes: 200, maxInflightBytes: 400 }],
  ])('%s', (_, ids, options) => {
    const runs = runAll(50, ids, options)
    const commits = runs.reduce((sum, { cluster }) => sum + cluster.witness.committed.length, 0)
    const answers = runs.flatMap(({ cluster }) => cluster.answers)
    // Schedules in which nothing happens prove nothing.
    expect(commits).toBeGreaterThan(runs.length * 4)
    expect(answers.filter(({ type }) => type === 'readable').length).toBeGreaterThan(runs.length)
  })

  it.each<[string, string, Options]>([
    ['nothing stays of a log', 'abc', { snapshotEntries: 4 }],
    ['a tail stays', 'abc', { snapshotEntries: 6, snapshotTailBytes: 60 }],
    ['five servers', 'abcde', { snapshotEntries: 3 }],
    ['after so many bytes', 'abcde', { snapshotEntries: 100, snapshotBytes: 50 }],
    ['a tail as long as the log', 'abc', { snapshotEntries: 2, snapshotTailBytes: 10_000 }],
  ])('with snapshots: %s', (_, ids, options) => {
    const runs = runAll(20, ids, options)
    const commits = runs.reduce((sum, { cluster }) => sum + cluster.witness.committed.length, 0)
    const ends = runs.flatMap(({ cluster }) => cluster.servers.map(({ state }) => state.snapshot))
    expect(commits).toBeGreaterThan(runs.length * 20)
    expect(ends).not.toContain(undefined)
  })

  it.each<[string, string, string, Options]>([
    ['two more', 'abc', 'de', {}],
    ['from one to four', 'a', 'bcd', {}],
    ['without asking in advance', 'abc', 'd', { preVote: false }],
    ['with snapshots', 'abc', 'de', { snapshotEntries: 4 }],
    ['with snapshots and a tail', 'abcd', 'e', { snapshotEntries: 6, snapshotTailBytes: 60 }],
    ['with leases', 'abc', 'd', { lease: 90 }],
  ])('with members that come and go: %s', (_, ids, joiners, options) => {
    const runs = runAll(50, ids, options, joiners)
    const changes = runs.flatMap(({ cluster }) => cluster.witness.committed)
    expect(changes.filter(({ kind }) => kind === 'members').length).toBeGreaterThan(runs.length * 2)
    const answers = runs.flatMap(({ cluster }) => cluster.answers)
    expect(answers.filter(({ type }) => type === 'handedOver').length).toBeGreaterThan(
      runs.length / 5,
    )
  })

  it.each<[string, string, string, string, Options]>([
    ['one of three', 'abc', '', 'b', {}],
    ['two of five', 'abcde', '', 'de', {}],
    ['one of two, without asking in advance', 'ab', '', 'b', { preVote: false }],
    ['one of three, with snapshots', 'abc', '', 'c', { snapshotEntries: 4 }],
    ['with a tail', 'abcd', '', 'cd', { snapshotEntries: 6, snapshotTailBytes: 60 }],
    ['one that comes and goes', 'ab', 'c', 'c', { snapshotEntries: 4 }],
    ['among others that come and go', 'abc', 'de', 'ce', { snapshotEntries: 4, lease: 90 }],
  ])('with witnesses: %s', (_, ids, joiners, witnesses, options) => {
    const runs = runAll(30, ids, options, joiners, witnesses)
    const commits = runs.reduce((sum, { cluster }) => sum + cluster.witness.committed.length, 0)
    expect(commits).toBeGreaterThan(runs.length * 4)
    const hollow = runs.filter(({ cluster }) => cluster.servers.some(({ state }) => state.isHollow))
    expect(hollow.length).toBeGreaterThan(runs.length / 2)
  })

  it('with leases', () => {
    const answers = runAll(50, 'abc', { lease: 90 }).flatMap(({ cluster }) => cluster.answers)
    expect(answers.filter(({ type }) => type === 'readable').length).toBeGreaterThan(50)
  })
})
