import { list } from './list.ts'
import { figure } from './report.ts'
import type { Suite } from './suite.ts'
import { VirtualCluster } from './virtual/cluster.ts'
import { commands } from './harness/load.ts'

/** Between two servers, in ms. */
const ONE_WAY = 30

const SEEDS = 20
const QUICK_SEEDS = 5

/** Commands that are submitted one in each virtual ms. */
const STREAM = 1000

export const wan: Suite = {
  name: 'wan',
  about: `in virtual time, with default timeouts and messages that take ${ONE_WAY} ms`,
  run: ({ isQuick }, _ground, print) => {
    const seeds = Array.from({ length: isQuick ? QUICK_SEEDS : SEEDS }, (_, seed) => seed)
    const all = seeds.map(measure)
    const named = { suite: 'wan', case: `${ONE_WAY} ms a way`, unit: 'virtual ms' }
    const found = (['commit', 'read', 'stream', 'election'] as const).map((metric) =>
      figure({ ...named, metric, values: all.map((it) => it[metric]) }),
    )
    print(list(found))
    return Promise.resolve(found)
  },
}

/**
 * What each takes: a command, a linearizable read on the leader, the slowest of a stream of commands, and another leader when
 * the first one is gone.
 */
function measure(seed: number) {
  const cluster = new VirtualCluster(ONE_WAY, seed)
  try {
    cluster.elect()
    cluster.clock.runUntil(cluster.clock.now() + 1000)
    const commit = cluster.time((done) => submit(cluster, done))
    const read = cluster.time((done) => void cluster.leader.query('sum').subscribe(done))
    return { commit, read, stream: stream(cluster), election: cluster.crashLeader() }
  } finally {
    cluster.stop()
  }
}

const submit = (cluster: VirtualCluster, applied: () => void): void =>
  cluster.leader.submit(commands(1)[0]!, {
    applied,
    failed: (error) => {
      throw error
    },
  })

/** The slowest of many commands, one in each virtual ms. */
function stream(cluster: VirtualCluster): number {
  const { clock } = cluster
  let slowest = 0
  let left = STREAM
  cluster.time((done) => {
    const one = (i: number): void => {
      const began = clock.now()
      submit(cluster, () => {
        slowest = Math.max(slowest, clock.now() - began)
        if (--left === 0) done()
      })
      if (i + 1 < STREAM) clock.after(1, () => one(i + 1))
    }
    one(0)
  })
  return slowest
}
