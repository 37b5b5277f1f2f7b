import type { Report } from '../../../testing/simulation/simulate.ts'

/** What of a report goes from a worker to the totals. */
export type Summary = Omit<Report, 'schedule' | 'trace'>

export const summaryOf = ({ schedule: _, trace: __, ...summary }: Report): Summary => summary

/** What many seeds came to. */
export interface Totals {
  readonly seeds: number
  readonly violations: number
  readonly virtualMs: number
  readonly elections: number
  readonly commits: number
  readonly snapshots: Report['snapshots']
  readonly operations: number
  readonly faults: Readonly<Record<string, number>>
}

export const nothing: Totals = {
  seeds: 0,
  violations: 0,
  virtualMs: 0,
  elections: 0,
  commits: 0,
  snapshots: { taken: 0, installed: 0 },
  operations: 0,
  faults: {},
}

export function add(totals: Totals, summary: Summary): Totals {
  const faults = { ...totals.faults }
  for (const [kind, count] of Object.entries(summary.faults)) {
    faults[kind] = (faults[kind] ?? 0) + count
  }
  return {
    seeds: totals.seeds + 1,
    violations: totals.violations + summary.violations.length,
    virtualMs: totals.virtualMs + summary.virtualMs,
    elections: totals.elections + summary.elections,
    commits: totals.commits + summary.commits,
    snapshots: {
      taken: totals.snapshots.taken + summary.snapshots.taken,
      installed: totals.snapshots.installed + summary.snapshots.installed,
    },
    operations: totals.operations + summary.operations,
    faults,
  }
}

interface Pace {
  readonly seedsPerMinute: number
  readonly virtualSecondsPerSecond: number
}

const pace = ({ seeds, virtualMs }: Totals, ms: number): Pace => ({
  seedsPerMinute: Math.round((seeds * 60_000) / ms),
  virtualSecondsPerSecond: Math.round(virtualMs / ms),
})

/** The result for people. */
export function table(totals: Totals, ms: number): string {
  const { seedsPerMinute, virtualSecondsPerSecond } = pace(totals, ms)
  const kinds = Object.entries(totals.faults).sort(([a], [b]) => (a < b ? -1 : 1))
  const rows: (readonly [string, number])[] = [
    ['seeds', totals.seeds],
    ['seeds per minute', seedsPerMinute],
    ['virtual seconds per second', virtualSecondsPerSecond],
    ['elections', totals.elections],
    ['commits', totals.commits],
    ['snapshots taken', totals.snapshots.taken],
    ['snapshots installed', totals.snapshots.installed],
    ['operations of clients', totals.operations],
    ...kinds.map(([kind, count]) => [`fault ${kind}`, count] as const),
    ['violations', totals.violations],
  ]
  return rows
    .map(([what, count]) => `${what.padEnd(28)}${count.toLocaleString('en').padStart(14)}`)
    .join('\n')
}

/** The result for programs, one line. */
export function json(totals: Totals, ms: number): string {
  const { seeds, violations, elections, commits } = totals
  const faults = Object.fromEntries(
    Object.entries(totals.faults).sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  const snapshots = totals.snapshots.taken + totals.snapshots.installed
  return JSON.stringify({
    seeds,
    violations,
    ...pace(totals, ms),
    elections,
    commits,
    snapshots,
    faults,
  })
}
