import { start, type Cluster, type Ground, type Outcome, type Subject } from './harness/cluster.ts'

/** The same load on both sides, run by run. */
export interface Comparison {
  readonly outstanding: number
  readonly yardstick: Outcome[]
  readonly subject: Outcome[]
}

export interface Effort {
  readonly runs: number
  /** Each load is measured for so long. */
  readonly seconds: number
  /** And for so long, in seconds, the compiler sees the code at work before that. */
  readonly warmup: number
  /** The loads: commands on their way at any time. */
  readonly outstanding: readonly number[]
}

/** What warms both sides up, in turns: without heavy loads half of the code would be left uncompiled. */
const WARM_OUTSTANDING = [256, 4096]

/** Measures both in turns, load by load, so that what the machine does meanwhile happens to both. */
export async function compare(
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
      await cluster.measure({ outstanding, seconds: warmup / WARM_OUTSTANDING.length })
    }
  }
  for (const comparison of comparisons) {
    const load = { outstanding: comparison.outstanding, seconds }
    comparison.yardstick.push(await yardstick.measure(load))
    comparison.subject.push(await subject.measure(load))
  }
}
