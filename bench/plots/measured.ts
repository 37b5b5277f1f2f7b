import type { Aim, Point } from './curves.ts'
import type { Figure, Record } from './record.ts'

/** What one suite found, in one run or several. */
export interface Measured {
  readonly figures: readonly Figure[]
  /** How it was measured, and on what. */
  readonly sources: readonly string[]
}

/** What these records have of a suite. Of a figure that several of them have, the last one counts. */
export function measuredBy(suite: string, records: readonly Record[]): Measured {
  const figures = new Map<string, Figure>()
  const sources = new Set<string>()
  for (const { machine, command, results } of records) {
    const own = results.filter((it) => it.suite === suite)
    for (const it of own) figures.set(`${it.case} ${it.metric}`, it)
    if (own.length > 0) sources.add(`${command}: ${machine}.`)
  }
  return { figures: [...figures.values()], sources: [...sources] }
}

/** A metric of all cases whose name matches; the number in the pattern's group is the load. */
export const pointsOf = (figures: readonly Figure[], metric: string, pattern: RegExp): Point[] =>
  loadsOf(figures, metric, pattern).map(([load, { median, min, max }]) => {
    return { load, median, min, max }
  })

/** What is aimed at, at the loads at which something is. */
export const aimsOf = (figures: readonly Figure[], metric: string, pattern: RegExp): Aim[] =>
  loadsOf(figures, metric, pattern).flatMap(([load, figure]) =>
    aimOf(figure).map((value) => ({ load, value })),
  )

/** The median that would just reach what is aimed at, if something is. */
export function aimOf({ median, ratio, target }: Figure): number[] {
  if (target === null) return []
  return [ratio === null ? target : (target * median) / ratio]
}

const loadsOf = (
  figures: readonly Figure[],
  metric: string,
  pattern: RegExp,
): (readonly [load: number, Figure])[] =>
  figures
    .filter((it) => it.metric === metric)
    .flatMap((it) => {
      const load = pattern.exec(it.case)?.[1]
      return load === undefined ? [] : [[Number(load), it] as const]
    })
    .sort(([a], [b]) => a - b)
