import { describe, expect, it } from 'vitest'
import { chanceOf, Chaos, narrow } from './bench/chaos.ts'
import type { Options } from './bench/server.ts'

const steps = 400

/** One schedule: chance for some hundred steps, every one before the witness; then all must heal. */
function run(seed: number, ids: string, options: Options): Chaos {
  const chaos = new Chaos(chanceOf(seed), ids, { ...narrow, ...options })
  try {
    for (let i = 0; i < steps; i++) chaos.step()
    chaos.heal()
    for (const server of chaos.cluster.servers) {
      chaos.cluster.witness.compare(server)
      expect(server.state.confirmed, 'no read waits for ever').toEqual([])
    }
  } catch (cause) {
    const where = `seed ${seed}, servers ${ids}, ${JSON.stringify(options)}`
    throw new Error(`${where}: ${(cause as Error).message}`, { cause })
  }
  return chaos
}

function runAll(count: number, ids: string, options: Options): readonly Chaos[] {
  return Array.from({ length: count }, (_, i) => run(i + 1, ids, options))
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
})
