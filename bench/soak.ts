import { isDeepStrictEqual } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { start, type Cluster } from './harness/cluster.ts'
import { growth, slope } from './harness/statistics.ts'
import type { Handles } from './harness/worker.ts'
import { list } from './list.ts'
import { figure, type Result } from './report.ts'
import type { Suite } from './suite.ts'

const OUTSTANDING = 256

const SECONDS = 600
const QUICK_SECONDS = 20

/** Between two looks, in seconds. */
const EVERY = 2

/** Until servers at rest have nothing left to do, in ms. */
const REST = 3_000

/** At most this share of itself may memory gain over the second half: what a line through noise does. */
const TOLERANCE = 0.02

const NAMES = ['leader', 'follower 1', 'follower 2']

export const soak: Suite = {
  name: 'soak',
  about: `full load for ten minutes, with default timeouts: memory, timers and handles stay, and so does the leader`,
  onlyNamed: true,
  run: async ({ isQuick }, ground, print) => {
    const subject = { name: 'soak', script: 'engine.ts', way: 'default' }
    const cluster = await start(subject, ground)
    try {
      // What a load leaves behind for good, the first one has left.
      await cluster.measure({ outstanding: OUTSTANDING }, 1)
      await sleep(REST)
      const before = await cluster.handles()
      const leaders = await cluster.all('leaders')
      const samples = await sampled(cluster, isQuick ? QUICK_SECONDS : SECONDS)
      await sleep(REST)
      const after = await cluster.handles()
      const elections = Number(await cluster.lead('leaders')) - Number(leaders[0])
      const found = [...memory(samples), ...open(before, after), stable(elections)]
      print(list(found))
      return found
    } finally {
      await cluster.stop()
    }
  },
}

/** What each server has, in MB, look after look. */
async function sampled(cluster: Cluster, seconds: number): Promise<readonly (readonly number[])[]> {
  const samples: (readonly number[])[] = []
  await cluster.drive({ outstanding: OUTSTANDING })
  for (let second = 0; second < seconds; second += EVERY) {
    await sleep(EVERY * 1000)
    samples.push((await cluster.rss()).map((bytes) => bytes / 1e6))
  }
  await cluster.rest()
  return samples
}

/** Of the second half: before, the compiler and the collector find their pace. */
export function memory(samples: readonly (readonly number[])[]): Result[] {
  const late = samples.slice(samples.length >> 1)
  return NAMES.flatMap((name, i) => {
    const values = late.map((sample) => sample[i]!)
    const named = { suite: 'soak', case: name }
    const perMinute = (slope(values) * 60) / EVERY
    return [
      figure({ ...named, metric: 'rss', unit: 'MB', values }),
      figure({ ...named, metric: 'slope', unit: 'MB/min', values: [perMinute] }),
      figure({
        ...{ ...named, metric: 'growth', unit: '% of it', values: [growth(values) * 100] },
        aim: { atMost: TOLERANCE * 100 },
      }),
    ]
  })
}

/** Kinds of timers and handles of which there are more or fewer than before. */
export function open(before: readonly Handles[], after: readonly Handles[]): Result[] {
  return NAMES.map((name, i) => {
    const kinds = new Set([...Object.keys(before[i]!), ...Object.keys(after[i]!)])
    const changed = [...kinds].filter(
      (kind) => !isDeepStrictEqual(before[i]![kind], after[i]![kind]),
    )
    return figure({
      ...{ suite: 'soak', case: name, metric: 'handles', unit: 'kinds changed' },
      ...{ values: [changed.length], aim: { atMost: 0 } },
    })
  })
}

const stable = (elections: number): Result =>
  figure({
    ...{ suite: 'soak', case: 'leader', metric: 'elections', unit: 'that nothing caused' },
    ...{ values: [elections], aim: { atMost: 0 } },
  })
