import { measure, type Ground, type Outcome, type Subject } from './harness/cluster.ts'

/** The same load on both sides, run by run. */
export interface Comparison {
  readonly outstanding: number
  readonly yardstick: readonly Outcome[]
  readonly subject: readonly Outcome[]
}

export interface Effort {
  readonly runs: number
  /** Measured for so long, after a warm-up of one second. */
  readonly seconds: number
}

/** Measures both in turns, so that what the machine does meanwhile happens to both. */
export async function compare(
  yardstick: Subject,
  subject: Subject,
  outstanding: number,
  { runs, seconds }: Effort,
  ground: Ground,
): Promise<Comparison> {
  const load = { outstanding, warmup: 1, seconds }
  const comparison = { outstanding, yardstick: [] as Outcome[], subject: [] as Outcome[] }
  for (let run = 0; run < runs; run++) {
    comparison.yardstick.push(await measure(yardstick, load, ground))
    comparison.subject.push(await measure(subject, load, ground))
  }
  return comparison
}
