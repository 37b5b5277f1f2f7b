import { curvesOf } from './curves.ts'
import { aimsOf, pointsOf } from './measured.ts'
import { AIMED, OURS, THIRD, YARDSTICK } from './palette.ts'
import { BARS, type Plot } from './plot.ts'

const SIDES = [
  { name: 'ceiling', colour: YARDSTICK },
  { name: 'floor', colour: THIRD },
  { name: 'engine', colour: OURS },
]

const METRICS = [
  ['throughput', 'commits/s'],
  ['p50', 'p50, ms'],
] as const

export const engine: Plot = {
  file: 'engine.svg',
  suite: 'engine',
  legend: `Ceiling: a prototype without a protocol. Floor: one write and one round trip. ${BARS}`,
  page: (figures) => ({
    title: 'Durable commits of three servers',
    key: [...SIDES, AIMED],
    columns: 2,
    charts: METRICS.flatMap(([metric, y]) =>
      curvesOf({
        ...{ x: 'commands outstanding', xScale: 'log' as const, y },
        curves: SIDES.map(({ name, colour }) => ({
          colour,
          points: pointsOf(figures, metric, new RegExp(`^${name} (\\d+)$`)),
        })),
        aims: aimsOf(figures, metric, /^engine (\d+)/),
      }),
    ),
  }),
}
