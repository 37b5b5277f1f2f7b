import type { Millis } from '../../../lib/types.ts'
import { statisticsOf, type Statistics } from './statistics.ts'
import type { Range } from './trial.ts'

/** What one range of timeouts came to. */
export interface Row {
  readonly range: Range
  /** The figures of the thesis, for the same experiment. */
  readonly paper: Statistics
  /** Sorted down times in ms, with the question in advance (thesis §9.6) and without it, as in the thesis. */
  readonly preVote: readonly Millis[]
  readonly plain: readonly Millis[]
}

export function markdown(rows: readonly Row[], trials: number): string {
  const cells = ({ median, p99, max }: Statistics): string =>
    [median, p99, max].map((ms) => Math.round(ms).toLocaleString('en')).join(' | ')
  const lines = rows.map(
    ({ range, paper, preVote, plain }) =>
      `| ${range.join('–')} | ${cells(paper)} | ${cells(statisticsOf(plain))} | ${cells(statisticsOf(preVote))} |`,
  )
  return `# How long a cluster is without a leader

Five servers in virtual time; the leader crashes at a random moment between two pulses, which come at half the shortest
timeout; a request to everybody and the answers take about 15 ms; two of the four survivors cannot be elected, because
their logs are behind. ${trials.toLocaleString('en')} trials for each range, \`npm run sim:availability\`.

Milliseconds until there is a new leader: median, 99th percentile and longest. "Pre-vote" is this library's default, which
asks in advance whether an election would be won (thesis §9.6); without it the protocol is the one that the thesis measured.

| timeouts, ms | thesis median | p99 | max | ours without pre-vote | p99 | max | ours with pre-vote | p99 | max |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}

![Down time against the part of the trials that took no longer](availability.svg)
`
}

const WIDTH = 760
const HEIGHT = 420
const LEFT = 60
const TOP = 20
const RIGHT = 20
const BOTTOM = 50
const COLOURS = ['#b2182b', '#ef8a62', '#67a9cf', '#2166ac']
const DECADES = [100, 200, 500, 1_000, 2_000, 5_000]

/** Which part of the trials was over by when, a line for each range; time on a logarithmic axis. */
export function svg(rows: readonly Row[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...grid(),
    ...rows.flatMap((row, i) => line(row, i)),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">ms without a leader</text>`,
    `<text x="${LEFT}" y="${TOP - 6}">part of the trials, with pre-vote (solid) and without (dashed)</text>`,
    '</svg>',
    '',
  ].join('\n')
}

const x = (ms: Millis): number => {
  const [first, last] = [50, 10_000]
  const part = Math.log(Math.max(ms, first) / first) / Math.log(last / first)
  return LEFT + part * (WIDTH - LEFT - RIGHT)
}

const y = (part: number): number => TOP + (1 - part) * (HEIGHT - TOP - BOTTOM)

function grid(): string[] {
  const parts = [0, 0.25, 0.5, 0.75, 1]
  return [
    ...DECADES.map(
      (ms) =>
        `<path d="M${x(ms).toFixed(1)} ${y(0)}V${y(1)}" stroke="#dddddd"/>` +
        `<text x="${x(ms).toFixed(1)}" y="${y(0) + 18}" text-anchor="middle">${ms}</text>`,
    ),
    ...parts.map(
      (part) =>
        `<path d="M${LEFT} ${y(part)}H${WIDTH - RIGHT}" stroke="#dddddd"/>` +
        `<text x="${LEFT - 8}" y="${y(part) + 4}" text-anchor="end">${part * 100} %</text>`,
    ),
  ]
}

function line({ range, preVote, plain }: Row, i: number): string[] {
  const colour = COLOURS[i % COLOURS.length]!
  const draw = (sorted: readonly Millis[], dashes: string): string =>
    `<path d="M${curve(sorted)}" fill="none" stroke="${colour}" stroke-width="1.5"${dashes}/>`
  const label = `<text x="${WIDTH - RIGHT - 8}" y="${y(0.1 + 0.08 * i)}" text-anchor="end" fill="${colour}">${range.join('–')} ms</text>`
  return [draw(preVote, ''), draw(plain, ' stroke-dasharray="4 3"'), label]
}

const POINTS = 200

function curve(sorted: readonly Millis[]): string {
  return Array.from({ length: POINTS + 1 }, (_, i) => {
    const part = i / POINTS
    const ms = sorted[Math.round(part * (sorted.length - 1))]!
    return `${x(ms).toFixed(1)} ${y(part).toFixed(1)}`
  }).join('L')
}
