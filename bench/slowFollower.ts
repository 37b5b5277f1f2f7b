import { start, type Outcome } from './harness/cluster.ts'
import { results } from './report.ts'
import type { Suite } from './suite.ts'
import { header, rows } from './table.ts'

const LOADS = [1, 256]

/** How much of the time the slow one works. */
const SHARE = 0.1

/** What is measured with a slow server is measured for so much longer: it falls behind all the while. */
const LONGER = 5

export const slowFollower: Suite = {
  name: 'slow-follower',
  about:
    'the latency and the memory of a leader of which one follower works for a tenth of the time',
  notQuick: true,
  run: async ({ runs, seconds, warmup }, ground, print) => {
    const cases = LOADS.map((outstanding) => ({ outstanding, all: none(), slow: none() }))
    const subject = { name: 'slow', script: 'engine.ts', way: 'submit' }
    for (let run = 0; run < runs; run++) {
      const cluster = await start(subject, ground)
      try {
        await cluster.measure({ outstanding: 256 }, warmup)
        for (const { outstanding, all, slow } of cases) {
          all.push(await cluster.measure({ outstanding }, seconds))
          const hurry = cluster.slow(SHARE)
          try {
            slow.push(await cluster.measure({ outstanding }, seconds * LONGER))
          } finally {
            hurry()
          }
        }
      } finally {
        await cluster.stop()
      }
    }
    const found = cases.flatMap(({ outstanding, all, slow }) => {
      const beside = { name: `all well ${outstanding}`, runs: all }
      const measured = { name: `one slow ${outstanding}`, runs: slow }
      return [...results('slow-follower', beside), ...results('slow-follower', measured, beside)]
    })
    print(`${header()}\n${rows(found)}`)
    return found
  },
}

const none = (): Outcome[] => []
