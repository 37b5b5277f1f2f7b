import { start, type Cluster, type Outcome } from './harness/cluster.ts'
import type { Ground, Subject } from './harness/server.ts'
import { results, type Result, type Targets } from './report.ts'
import type { Effort, Suite } from './suite.ts'
import { header, rows } from './table.ts'

/** An engine, to be measured in turns with a yardstick. */
interface Compared extends Omit<Suite, 'run'> {
  readonly subject: Subject
  /** Default: the prototype without any protocol. */
  readonly yardstick?: Subject
  /** The ratios to the yardstick that are aimed at, by what is outstanding. */
  readonly targets?: (outstanding: number) => Targets
  /** Another yardstick, for one command at a time. */
  readonly floor?: { readonly subject: Subject; readonly targets: Targets }
}

const ceiling: Subject = { name: 'ceiling', script: 'ceiling.ts', way: '' }

/** The same load on all of them, run by run. */
interface Comparison {
  readonly outstanding: number
  readonly yardstick: Outcome[]
  readonly subject: Outcome[]
  readonly floor: Outcome[]
}

type Side = Exclude<keyof Comparison, 'outstanding'>

export const compared = ({ targets, floor, ...given }: Compared): Suite => {
  const { subject, yardstick = ceiling, ...suite } = given
  const sides = { yardstick, subject, ...(floor && { floor: floor.subject }) }
  return {
    ...suite,
    run: async (effort, ground, print) => {
      const comparisons = await compare(sides, effort, ground)
      const found = comparisons.flatMap(({ outstanding, ...runs }) => {
        const named = (side: Side): string => `${sides[side]?.name} ${outstanding}`
        const beside = { name: named('yardstick'), runs: runs.yardstick }
        const measured = { name: named('subject'), runs: runs.subject }
        const wanted = { ...measured, targets: targets?.(outstanding) }
        return [
          ...results(suite.name, beside),
          ...results(suite.name, wanted, beside),
          ...besideFloor(suite.name, measured, { name: named('floor'), runs: runs.floor }, floor),
        ]
      })
      print(`${header()}\n${rows(found)}`)
      return found
    },
  }
}

interface Runs {
  readonly name: string
  readonly runs: readonly Outcome[]
}

/** Against what one command cannot do without. */
function besideFloor(
  suite: string,
  { name, runs }: Runs,
  beside: Runs,
  floor: Compared['floor'],
): Result[] {
  if (floor === undefined || beside.runs.length === 0) return []
  const latency = ({ metric }: Result): boolean => /^(p50|p99)$/.test(metric)
  const measured = { name: `${name} / ${floor.subject.name}`, runs, targets: floor.targets }
  return [...results(suite, beside), ...results(suite, measured, beside)].filter(latency)
}

/** What warms both sides up, in turns: without heavy loads half of the code would be left uncompiled. */
const WARM_OUTSTANDING = [256, 4096]

/** Measures all in turns, load by load, so that what the machine does meanwhile happens to all. */
async function compare(
  sides: Readonly<Partial<Record<Side, Subject>>>,
  effort: Effort,
  ground: Ground,
): Promise<Comparison[]> {
  const comparisons = effort.outstanding.map((outstanding) => empty(outstanding))
  for (let run = 0; run < effort.runs; run++) {
    const running: (readonly [Side, Cluster])[] = []
    try {
      for (const [side, subject] of Object.entries(sides)) {
        running.push([side as Side, await start(subject, ground)])
      }
      await compareOnce(running, effort, comparisons)
    } finally {
      for (const [, cluster] of running) await cluster.stop()
    }
  }
  return comparisons
}

const empty = (outstanding: number): Comparison => {
  return { outstanding, yardstick: [], subject: [], floor: [] }
}

async function compareOnce(
  running: readonly (readonly [Side, Cluster])[],
  { seconds, warmup }: Effort,
  comparisons: readonly Comparison[],
): Promise<void> {
  const warm = running.filter(([side]) => side !== 'floor')
  for (const [, cluster] of warm) {
    for (const outstanding of WARM_OUTSTANDING) {
      await cluster.measure({ outstanding }, warmup / WARM_OUTSTANDING.length)
    }
  }
  for (const comparison of comparisons) {
    const { outstanding } = comparison
    for (const [side, cluster] of running) {
      if (side === 'floor' && outstanding > 1) continue
      comparison[side].push(await cluster.measure({ outstanding }, seconds))
    }
  }
}
