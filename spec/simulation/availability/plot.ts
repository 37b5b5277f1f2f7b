import type { Axis } from '../../../bench/plots/chart.ts'
import { svg as drawn } from '../../../bench/plots/page.ts'
import { sharesOf, type Mark, type Share } from '../../../bench/plots/shares.ts'
import type { Row } from './report.ts'

const COLOURS = ['#d1242f', '#d9730d', '#2da44e', '#3f7fe8']

const TIME: Axis = {
  label: 'ms without a leader',
  scale: 'log',
  ticks: [50, 100, 200, 500, 1_000, 2_000, 5_000],
  domain: [50, 5_000],
  format: String,
}

/** Which part of the trials was over by when, two lines for each range. */
export const svg = (rows: readonly Row[]): string =>
  drawn({
    title: 'How long five servers are without a leader',
    key: rows.map(({ timeouts }, i) => ({ name: `${timeouts.join('–')} ms`, colour: colourOf(i) })),
    columns: 1,
    charts: sharesOf(TIME, rows.flatMap(lines), { marks: rows.flatMap(dots) }),
    caption: [
      "Dashed: plain. Solid: pre-vote. Dots: the thesis's median, 99th percentile and longest.",
      'npm run sim:availability: virtual time, so the same on every machine.',
    ],
  })

const lines = ({ plain, preVote }: Row, i: number): Share[] => [
  { colour: colourOf(i), sorted: plain, isDashed: true },
  { colour: colourOf(i), sorted: preVote },
]

const dots = ({ thesis: { median, p99, max } }: Row, i: number): Mark[] => [
  { colour: colourOf(i), value: median, part: 0.5 },
  { colour: colourOf(i), value: p99, part: 0.99 },
  { colour: colourOf(i), value: max, part: 1 },
]

const colourOf = (i: number): string => COLOURS[i % COLOURS.length]!
