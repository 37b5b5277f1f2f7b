import type { Comparison } from './compare.ts'
import type { Outcome } from './harness/cluster.ts'
import { ratios, spread, type Spread } from './harness/statistics.ts'
import type { Suite } from './suites.ts'

/** One line of the report. */
export interface Result extends Spread {
  readonly suite: string
  readonly case: string
  readonly metric: 'throughput' | 'p50' | 'p99' | 'cpu'
  readonly unit: 'commits/s' | 'ms' | 'µs/commit'
  readonly runs: number
  /** The case that this one is measured against. */
  readonly ratioTo: string | null
  /** This case by that one, each run against the run beside it. */
  readonly ratio: Spread | null
  /** The ratio that is aimed at, and whether the median reaches it. */
  readonly target: number | null
  readonly met: boolean | null
}

const metrics = [
  { metric: 'throughput', unit: 'commits/s', read: (run: Outcome) => run.rate },
  { metric: 'p50', unit: 'ms', read: (run: Outcome) => run.p50 },
  { metric: 'p99', unit: 'ms', read: (run: Outcome) => run.p99 },
  { metric: 'cpu', unit: 'µs/commit', read: (run: Outcome) => run.cpu },
] as const

/** What a comparison says, as four lines for each side. */
export function results(suite: Suite, { outstanding, yardstick, subject }: Comparison): Result[] {
  const named = { yardstick: `ceiling ${outstanding}`, subject: `engine ${outstanding}` }
  return metrics.flatMap(({ metric, unit, read }) => {
    const [theirs, ours] = [yardstick.map(read), subject.map(read)]
    const ratio = spread(ratios(ours, theirs))
    const target = metric === 'throughput' ? (suite.targets[outstanding] ?? null) : null
    const common = { suite: suite.name, metric, unit, runs: ours.length }
    return [
      { ...common, case: named.yardstick, ...spread(theirs), ...without },
      {
        ...common,
        case: named.subject,
        ...spread(ours),
        ratioTo: named.yardstick,
        ratio,
        target,
        met: target === null ? null : ratio.median >= target,
      },
    ]
  })
}

const without = { ratioTo: null, ratio: null, target: null, met: null }
