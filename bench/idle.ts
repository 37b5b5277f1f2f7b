import { setTimeout as sleep } from 'node:timers/promises'
import { start } from './harness/cluster.ts'
import { list } from './list.ts'
import { figure } from './report.ts'
import type { Suite } from './suite.ts'

/** Shares of a core. */
const TARGET = 0.005

const SECONDS = 10
const QUICK_SECONDS = 3

export const idle: Suite = {
  name: 'idle',
  about: 'processor time of each server of three that have nothing to do, with default timeouts',
  run: async ({ isQuick, runs }, ground, print) => {
    const subject = { name: 'idle', script: 'engine.ts', way: 'default' }
    const cluster = await start(subject, ground)
    try {
      // What starting has left to do, the compiler's work above all, is over then.
      await sleep(1000)
      const ms = (isQuick ? QUICK_SECONDS : SECONDS) * 1000
      const all: (readonly number[])[] = []
      for (let run = 0; run < runs; run++) {
        const { processes } = await cluster.during(() => sleep(ms))
        all.push(processes.map(({ cpu }) => cpu * 100))
      }
      const found = ['leader', 'follower 1', 'follower 2'].map((name, i) =>
        figure({
          ...{ suite: 'idle', case: name, metric: 'cpu', unit: '% of a core' },
          values: all.map((run) => run[i]!),
          aim: { atMost: TARGET * 100 },
        }),
      )
      print(list(found))
      return found
    } finally {
      await cluster.stop()
    }
  },
}
