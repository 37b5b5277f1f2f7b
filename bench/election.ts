import { spread } from './harness/statistics.ts'
import { list } from './list.ts'
import { figure } from './report.ts'
import type { Suite } from './suite.ts'
import { VirtualCluster } from './virtual/cluster.ts'

const TIMES = 500
const QUICK_TIMES = 50

/** Between two servers, in ms. */
const ONE_WAY = 0.5

/** So long, in virtual ms, a leader is left alone before it goes. */
const REST = 500

export const election: Suite = {
  name: 'election',
  about:
    'in virtual time, with default timeouts and messages that take 0.5 ms: until three servers have a leader',
  run: ({ isQuick }, _ground, print) => {
    const seeds = Array.from({ length: isQuick ? QUICK_TIMES : TIMES }, (_, seed) => seed)
    const all = seeds.map((seed) => {
      const cluster = new VirtualCluster(ONE_WAY, seed)
      const first = cluster.elect()
      cluster.clock.runUntil(cluster.clock.now() + REST)
      const next = cluster.crashLeader()
      cluster.stop()
      return { first, next }
    })
    const named = { suite: 'election', unit: 'virtual ms' }
    const one = (name: string, values: number[]) => [
      figure({ ...named, case: name, metric: 'leader', values }),
      figure({ ...named, case: name, metric: 'p99', values: [p99(values)] }),
    ]
    const found = [
      ...one(
        'from the start',
        all.map(({ first }) => first),
      ),
      ...one(
        "from the leader's end",
        all.map(({ next }) => next),
      ),
    ]
    print(list(found))
    return Promise.resolve(found)
  },
}

/** All but one in a hundred are over by then. */
function p99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(0.99 * (sorted.length - 1))] ?? spread(values).max
}
