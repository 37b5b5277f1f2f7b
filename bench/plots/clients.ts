import { curvesOf } from './curves.ts'
import { aimsOf, pointsOf } from './measured.ts'
import { AIMED, OURS, THEIRS } from './palette.ts'
import { BARS, type Plot } from './plot.ts'

const KINDS = [
  { kind: 'put', name: 'puts' },
  { kind: 'get', name: 'linearizable reads' },
  { kind: 'mix', name: 'nine reads to a put' },
]

const STORES = [
  { name: 'etcd', colour: THEIRS },
  { name: 'rxraft', colour: OURS },
]

const METRICS = [
  ['throughput', 'a second'],
  ['p50', 'p50, ms'],
  ['p99', 'p99, ms'],
] as const

/** Clients outside of the cluster, with values of so many bytes. */
export const clients = (bytes: number): Plot => ({
  file: `clients-${bytes}.svg`,
  suite: 'client',
  legend: BARS,
  page: (figures) => {
    const of = (store: string, kind: string): RegExp =>
      new RegExp(`^${store}: ${kind} ${bytes} B, (\\d+) clients$`)
    const kinds = KINDS.filter(({ kind }) => figures.some((it) => of('rxraft', kind).test(it.case)))
    return {
      title: `Clients of three servers, values of ${bytes} bytes`,
      key: [...STORES, AIMED],
      columns: kinds.length,
      charts: METRICS.flatMap(([metric, unit]) =>
        kinds.flatMap(({ kind, name }) =>
          curvesOf({
            ...{ x: 'clients', xScale: 'log', y: `${name}, ${unit}` },
            curves: STORES.map((store) => ({
              colour: store.colour,
              points: pointsOf(figures, metric, of(store.name, kind)),
            })),
            aims: aimsOf(figures, metric, of('rxraft', kind)),
          }),
        ),
      ),
    }
  },
})
