import { published } from '../published.ts'
import { curvesOf, type Curve } from './curves.ts'
import { aimsOf, pointsOf } from './measured.ts'
import { AIMED, OURS, THEIRS, THIRD } from './palette.ts'
import { BARS, type Plot } from './plot.ts'
import type { Figure } from './record.ts'

const SIZES = [
  { servers: 3, colour: OURS },
  { servers: 5, colour: THIRD },
  { servers: 7, colour: THEIRS },
]

const METRICS = [
  ['throughput', 'puts a second'],
  ['p50', 'p50, ms'],
  ['p99', 'p99, ms'],
] as const

export const http: Plot = {
  file: 'http.svg',
  suite: 'http',
  legend: `Puts of 64 bytes over the HTTP API, at the leader. Dashed: what fluree/raft publishes. ${BARS}`,
  page: (figures) => ({
    title: 'Puts over HTTP',
    key: [...SIZES.map(({ servers, colour }) => ({ name: `${servers} servers`, colour })), AIMED],
    columns: METRICS.length,
    charts: METRICS.flatMap(([metric, y]) =>
      curvesOf({
        ...{ x: 'clients', xScale: 'sqrt' as const, y },
        curves: [
          ...SIZES.map(({ servers, colour }) => ({
            colour,
            points: pointsOf(figures, metric, of(servers)),
          })),
          ...(metric === 'throughput' ? SIZES.map((size) => besides(figures, size)) : []),
        ],
        aims: SIZES.flatMap(({ servers }) => aimsOf(figures, metric, of(servers))),
      }),
    ),
  }),
}

const of = (servers: number): RegExp => new RegExp(`^${servers} servers, (\\d+) clients$`)

/** What is published for the same servers and clients. */
function besides(figures: readonly Figure[], { servers, colour }: (typeof SIZES)[number]): Curve {
  const points = pointsOf(figures, 'throughput', of(servers)).flatMap(({ load }) => {
    const rate = published[servers]?.[load]
    return rate === undefined ? [] : [{ load, median: rate, min: rate, max: rate }]
  })
  return { colour, points, isDashed: true }
}
