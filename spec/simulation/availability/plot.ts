import type { Millis } from '../../../lib/types.ts'
import type { Row } from './report.ts'
import { quantile, type Statistics } from './statistics.ts'

const WIDTH = 760
const HEIGHT = 420
const LEFT = 60
const TOP = 30
const RIGHT = 20
const BOTTOM = 50
const COLOURS = ['#b2182b', '#ef8a62', '#67a9cf', '#2166ac']
const TICKS = [50, 100, 200, 500, 1_000, 2_000, 5_000]
const POINTS = 200

/** Which part of the trials was over by when, a line for each range; time on a logarithmic axis. */
export function svg(rows: readonly Row[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...grid(),
    ...rows.flatMap((row, i) => lines(row, i)),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">ms without a leader</text>`,
    `<text x="${LEFT}" y="${TOP - 12}">part of the trials; dashed: plain, solid: pre-vote, dots: the thesis's median, 99 % and longest</text>`,
    '</svg>',
    '',
  ].join('\n')
}

/** Where a time is on the axis. */
function x(ms: Millis): number {
  const [first, last] = [TICKS[0]!, TICKS.at(-1)!]
  const part = Math.log(Math.min(Math.max(ms, first), last) / first) / Math.log(last / first)
  return LEFT + part * (WIDTH - LEFT - RIGHT)
}

/** Where a part of all trials is. */
const y = (part: number): number => TOP + (1 - part) * (HEIGHT - TOP - BOTTOM)

const point = (ms: Millis, part: number): string => `${x(ms).toFixed(1)} ${y(part).toFixed(1)}`

function grid(): string[] {
  const parts = [0, 0.25, 0.5, 0.75, 1]
  return [
    ...TICKS.map(
      (ms) =>
        `<path d="M${point(ms, 0)}V${y(1)}" stroke="#dddddd"/>` +
        `<text x="${x(ms).toFixed(1)}" y="${y(0) + 18}" text-anchor="middle">${ms}</text>`,
    ),
    ...parts.map(
      (part) =>
        `<path d="M${LEFT} ${y(part)}H${WIDTH - RIGHT}" stroke="#dddddd"/>` +
        `<text x="${LEFT - 8}" y="${y(part) + 4}" text-anchor="end">${part * 100} %</text>`,
    ),
  ]
}

function lines({ timeouts, thesis, plain, preVote }: Row, i: number): string[] {
  const colour = COLOURS[i % COLOURS.length]!
  const draw = (sorted: readonly Millis[], dashes: string): string =>
    `<path d="M${curve(sorted)}" fill="none" stroke="${colour}" stroke-width="1.5"${dashes}/>`
  const label = `<text x="${WIDTH - RIGHT - 8}" y="${y(0.1 + 0.08 * i)}" text-anchor="end" fill="${colour}">${timeouts.join('–')} ms</text>`
  return [draw(plain, ' stroke-dasharray="4 3"'), draw(preVote, ''), ...dots(thesis, colour), label]
}

function curve(sorted: readonly Millis[]): string {
  return Array.from({ length: POINTS + 1 }, (_, i) => {
    const part = i / POINTS
    return point(quantile(sorted, part), part)
  }).join('L')
}

function dots({ median, p99, max }: Statistics, colour: string): string[] {
  const places = [[median, 0.5] as const, [p99, 0.99] as const, [max, 1] as const]
  return places.map(
    ([ms, part]) =>
      `<circle cx="${x(ms).toFixed(1)}" cy="${y(part).toFixed(1)}" r="3.5" fill="${colour}"/>`,
  )
}
