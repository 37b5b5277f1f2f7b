import { start, type Cluster, type Outcome } from './harness/cluster.ts'
import type { Ground, Subject } from './harness/server.ts'
import { results } from './report.ts'
import type { Effort, Suite } from './suite.ts'
import { header, rows } from './table.ts'

/** An engine, to be measured in turns with the yardstick. */
interface Compared extends Pick<Suite, 'name' | 'about'> {
  readonly subject: Subject
}

const ceiling: Subject = { name: 'ceiling', script: 'ceiling.ts', way: '' }

/** The same load on both sides, run by run. */
interface Comparison {
  readonly outstanding: number
  readonly yardstick: Outcome[]
  readonly subject: Outcome[]
}

export const compared = ({ name, about, subject }: Compared): Suite => ({
  name,
  about,
  run: async (effort, ground, print) => {
    const comparisons = await compare(ceiling, subject, effort, ground)
    const found = comparisons.flatMap(({ outstanding, ...runs }) => {
      const yardstick = { name: `ceiling ${outstanding}`, runs: runs.yardstick }
      const measured = { name: `${subject.name} ${outstanding}`, runs: runs.subject }
      return [...results(name, yardstick), ...results(name, measured, yardstick)]
    })
    print(`${header()}\n${rows(found)}`)
    return found
  },
})

/** What warms both sides up, in turns: without heavy loads half of the code would be left uncompiled. */
const WARM_OUTSTANDING = [256, 4096]

/** Measures both in turns, load by load, so that what the machine does meanwhile happens to both. */
async function compare(
  yardstick: Subject,
  subject: Subject,
  effort: Effort,
  ground: Ground,
): Promise<Comparison[]> {
  const comparisons = effort.outstanding.map((outstanding) => empty(outstanding))
  for (let run = 0; run < effort.runs; run++) {
    const first = await start(yardstick, ground)
    try {
      const second = await start(subject, ground)
      try {
        await compareOnce(first, second, effort, comparisons)
      } finally {
        await second.stop()
      }
    } finally {
      await first.stop()
    }
  }
  return comparisons
}

const empty = (outstanding: number): Comparison => ({ outstanding, yardstick: [], subject: [] })

async function compareOnce(
  yardstick: Cluster,
  subject: Cluster,
  { seconds, warmup }: Effort,
  comparisons: readonly Comparison[],
): Promise<void> {
  for (const cluster of [yardstick, subject]) {
    for (const outstanding of WARM_OUTSTANDING) {
      await cluster.measure({ outstanding }, warmup / WARM_OUTSTANDING.length)
    }
  }
  for (const { outstanding, ...runs } of comparisons) {
    runs.yardstick.push(await yardstick.measure({ outstanding }, seconds))
    runs.subject.push(await subject.measure({ outstanding }, seconds))
  }
}
