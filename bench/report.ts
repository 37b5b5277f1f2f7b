import type { Outcome } from './harness/cluster.ts'
import { ratios, spread, type Spread } from './harness/statistics.ts'

/** One line of the report. */
export interface Result extends Spread {
  readonly suite: string
  readonly case: string
  readonly metric: string
  readonly unit: string
  readonly runs: number
  /** What each run gave, in their order. */
  readonly values: readonly number[]
  /** The case that this one is measured against. */
  readonly ratioTo: string | null
  /** This case by that one, each run against the run beside it: the median of all, and the least and the most. */
  readonly ratio: number | null
  readonly ratioMin: number | null
  readonly ratioMax: number | null
  /** The ratio that is aimed at, or the median where there is no ratio; and whether it is reached. */
  readonly target: number | null
  readonly met: boolean | null
}

/** Something that was measured several times. */
export interface Figure {
  readonly suite: string
  readonly case: string
  readonly metric: string
  readonly unit: string
  readonly values: readonly number[]
  /** What was measured as often, in turns with it. */
  readonly yardstick?: { readonly name: string; readonly values: readonly number[] } | undefined
  readonly aim?: Aim | undefined
}

export type Aim = { readonly atLeast: number } | { readonly atMost: number }

export function figure({ values, yardstick, aim, ...named }: Figure): Result {
  const measured = spread(values)
  const beside = yardstick && spread(ratios(values, yardstick.values))
  const { median } = beside ?? measured
  return {
    ...pick(named),
    ...measured,
    runs: values.length,
    values,
    ratioTo: yardstick?.name ?? null,
    ratio: beside?.median ?? null,
    ratioMin: beside?.min ?? null,
    ratioMax: beside?.max ?? null,
    target: aim === undefined ? null : 'atLeast' in aim ? aim.atLeast : aim.atMost,
    met: aim === undefined ? null : 'atLeast' in aim ? median >= aim.atLeast : median <= aim.atMost,
  }
}

const pick = ({ suite, case: name, metric, unit }: Omit<Figure, 'values'>) => {
  return { suite, case: name, metric, unit }
}

/** A cluster that was measured several times. */
export interface Case {
  readonly name: string
  readonly runs: readonly Outcome[]
  /** The ratios that are aimed at, by metric: at least so much, or at most where less is better. */
  readonly targets?: Targets | undefined
}

export type Targets = Readonly<Partial<Record<string, number>>>

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

/** What each process takes for itself, the leader's first. */
const usage = (processes: number): Metric[] =>
  Array.from({ length: processes }, (_, i) => {
    const name = i === 0 ? 'leader' : `follower ${i}`
    const less = 'less' as const
    return [
      {
        ...{ metric: `cpu ${name}`, unit: 'cores', better: less },
        read: (run: Outcome) => run.processes[i]!.cpu,
      },
      {
        ...{ metric: `rss ${name}`, unit: 'MB', better: less },
        read: (run: Outcome) => run.processes[i]!.rss / 1e6,
      },
    ]
  }).flat()

/** What was measured, a line for each metric; beside a yardstick that was measured as often, in turns. */
export function results(suite: string, subject: Case, yardstick?: Case): Result[] {
  const { name, runs, targets } = subject
  const processes = Math.min(
    ...[...runs, ...(yardstick?.runs ?? [])].map((run) => run.processes.length),
  )
  return [...metrics, ...usage(processes)].map(({ metric, unit, better, read }) => {
    const target = yardstick && targets?.[metric]
    return figure({
      ...{ suite, case: name, metric, unit },
      values: runs.map(read),
      yardstick: yardstick && { name: yardstick.name, values: yardstick.runs.map(read) },
      aim: target === undefined ? undefined : aimOf(better, target),
    })
  })
}

const aimOf = (better: Metric['better'], target: number): Aim =>
  better === 'more' ? { atLeast: target } : { atMost: target }
