import type { Outcome } from './harness/cluster.ts'
import { ratios, spread, type Spread } from './harness/statistics.ts'

/** One line of the report. */
export interface Result extends Spread {
  readonly suite: string
  readonly case: string
  readonly metric: string
  readonly unit: string
  readonly runs: number
  /** The case that this one is measured against. */
  readonly ratioTo: string | null
  /** This case by that one, each run against the run beside it: the median of all, and the least and the most. */
  readonly ratio: number | null
  readonly ratioMin: number | null
  readonly ratioMax: number | null
  /** The ratio that is aimed at, and whether the median reaches it. */
  readonly target: number | null
  readonly met: boolean | null
}

/** Something that was measured several times. */
export interface Case {
  readonly name: string
  readonly runs: readonly Outcome[]
  /** The ratios that are aimed at, by metric: at least so much, or at most where less is better. */
  readonly targets?: Readonly<Partial<Record<string, number>>>
}

interface Metric {
  readonly metric: string
  readonly unit: string
  readonly better: 'more' | 'less'
  readonly read: (run: Outcome) => number
}

const metrics: readonly Metric[] = [
  { metric: 'throughput', unit: 'commits/s', better: 'more', read: (run) => run.rate },
  { metric: 'p50', unit: 'ms', better: 'less', read: (run) => run.p50 },
  { metric: 'p99', unit: 'ms', better: 'less', read: (run) => run.p99 },
  { metric: 'p99.9', unit: 'ms', better: 'less', read: (run) => run.p999 },
  { metric: 'max', unit: 'ms', better: 'less', read: (run) => run.max },
  { metric: 'cpu', unit: 'µs/commit', better: 'less', read: (run) => run.cpu },
]

/** The leader first. */
const PROCESSES = ['leader', 'follower 1', 'follower 2']

/** What each process takes for itself. */
const usage = PROCESSES.flatMap((name, i): Metric[] => [
  {
    metric: `cpu ${name}`,
    unit: 'cores',
    better: 'less',
    read: ({ processes }) => processes[i]!.cpu,
  },
  {
    metric: `rss ${name}`,
    unit: 'MB',
    better: 'less',
    read: ({ processes }) => processes[i]!.rss / 1e6,
  },
])

/** What was measured, a line for each metric; beside a yardstick that was measured as often, in turns. */
export function results(suite: string, subject: Case, yardstick?: Case): Result[] {
  const { name, runs, targets } = subject
  return [...metrics, ...usage].map(({ metric, unit, better, read }) => {
    const values = runs.map(read)
    const common = { suite, case: name, metric, unit, ...spread(values), runs: runs.length }
    if (yardstick === undefined) return { ...common, ...alone }
    const { median, min, max } = spread(ratios(values, yardstick.runs.map(read)))
    const target = targets?.[metric] ?? null
    const isMet = (aim: number): boolean => (better === 'more' ? median >= aim : median <= aim)
    return {
      ...common,
      ...{ ratioTo: yardstick.name, ratio: median, ratioMin: min, ratioMax: max },
      ...{ target, met: target === null ? null : isMet(target) },
    }
  })
}

const alone = {
  ratioTo: null,
  ratio: null,
  ratioMin: null,
  ratioMax: null,
  target: null,
  met: null,
}
