import { start, type Outcome } from './harness/cluster.ts'
import type { Subject } from './harness/server.ts'
import { results } from './report.ts'
import type { Suite } from './suite.ts'
import { header, rows } from './table.ts'

const subject: Subject = { name: 'memory', script: 'within.ts', way: '', processes: 1 }

const WARM_OUTSTANDING = 256

export const memory: Suite = {
  name: 'memory',
  about: 'three nodes in one process, on disks and a network in memory',
  run: async ({ runs, seconds, warmup, outstanding }, ground, print) => {
    const measured = outstanding.map((load) => ({ name: `memory ${load}`, load, runs: none() }))
    for (let run = 0; run < runs; run++) {
      const cluster = await start(subject, ground)
      try {
        await cluster.measure({ outstanding: WARM_OUTSTANDING }, warmup / 2)
        for (const { load, runs } of measured) {
          runs.push(await cluster.measure({ outstanding: load }, seconds))
        }
      } finally {
        await cluster.stop()
      }
    }
    const found = measured.flatMap((it) => results('memory', it))
    print(`${header()}\n${rows(found)}`)
    return found
  },
}

const none = (): Outcome[] => []
