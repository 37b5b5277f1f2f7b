import type { Millis } from '../../../lib/types.ts'
import { fiveWrites, type Reading } from './readings.ts'
import { statisticsOf, type Statistics } from './statistics.ts'
import type { Range } from './trial.ts'

/** What one range of timeouts came to. */
export interface Row {
  readonly timeouts: Range
  /** The figures of the thesis, for the same experiment. */
  readonly thesis: Statistics
  /** Sorted down times in ms, without the question in advance, as in the thesis, and with it (§9.6). */
  readonly plain: readonly Millis[]
  readonly preVote: readonly Millis[]
  /** The same without it, for the readings that are not used. */
  readonly others: readonly (readonly [Reading, readonly Millis[]])[]
}

/** The page, with a line for each row; `trials` is how many each figure comes from. */
export const markdown = (rows: readonly Row[], trials: number): string =>
  `# How long a cluster is without a leader

Five servers in virtual time run the real engine. The leader crashes at a random moment between two pulses, which come
at half the shortest timeout and reach everybody at once. Every server's log is shorter than the one before, so that two
of the four survivors cannot be elected. The clock stops when a server hears the new leader. ${count(trials)} trials for each
range, \`npm run sim:availability\`, which writes this page.

Milliseconds: median, 99th percentile and longest. "Plain" is the protocol that the thesis measured (§9.4); "pre-vote" is
this library's default, which asks in advance whether an election would be won (thesis §9.6).

${table(
  ['timeouts, ms', ...triple('thesis'), ...triple('plain'), ...triple('pre-vote')],
  rows.map(({ timeouts, thesis, plain, preVote }) => [
    timeouts.join('–'),
    ...cells(thesis),
    ...cells(statisticsOf(plain)),
    ...cells(statisticsOf(preVote)),
  ]),
)}

![Down time against the part of the trials that took no longer](availability.svg)

## Where the 15 ms go

The thesis gives "a broadcast time (network round trip plus disk write) of roughly 15 ms" and does not say how it divides.
For a narrow range that is all that counts: a vote is split when the others' timers ring before a request for votes reaches
them, so a request's time must be short beside the spread of the timeouts. Five readings, plain protocol, median and 99th
percentile:

${table(
  ['timeouts, ms', 'thesis', fiveWrites.meaning, ...rows[0]!.others.map(([r]) => r.meaning)],
  rows.map(({ timeouts, thesis, plain, others }) => [
    timeouts.join('–'),
    pair(thesis),
    ...[plain, ...others.map(([, sorted]) => sorted)].map((sorted) => pair(statisticsOf(sorted))),
  ]),
)}

The first is used above. What happened in those servers cannot be known; this speaks for it:

- They were joined by gigabit Ethernet, where a round trip takes a fraction of a millisecond. So nearly all of the 15 ms are
  writes.
- LogCabin, the program that was measured, wrote five times in a row from a timeout to the new leader's first pulse, as its
  source of April 2013 shows: the candidate's vote, before it asks; a voter's new term; the voter's vote; and two files for
  the new leader's first entry. 15 ms are then 3 ms each. How much they varied the thesis does not tell: half as much
  more or less was chosen with its curves in view. The columns beside show more of it and none: the narrowest range depends
  on that, the others hardly.
- A request then comes about 3 ms after the timeout. In the thesis's plot 29 % of the elections with 150–155 ms end with the
  first vote; of ours ${share(rows)}.

Our medians for the wider ranges are some milliseconds shorter than the thesis's because this engine writes twice where
LogCabin wrote five times: term and vote are one record, and a new leader is heard while it writes its first entry.

In the last two readings a request takes longer than the 5 ms between the first timer and the last, and nearly every vote is
split. Pre-vote changes that: whoever asks later is told of the new term before it has voted for itself.
`

const triple = (who: string): string[] => [`${who} median`, 'p99', 'max']

const count = (value: number): string => Math.round(value).toLocaleString('en')

const cells = ({ median, p99, max }: Statistics): string[] => [median, p99, max].map(count)

const pair = ({ median, p99 }: Statistics): string => `${count(median)}, ${count(p99)}`

/** Which part of the first row's trials needed no second vote: a second timeout comes 150 ms later. */
function share(rows: readonly Row[]): string {
  const { plain, timeouts } = rows[0]!
  const isFirst = (ms: Millis): boolean => ms < 1.25 * timeouts[1]
  return `${Math.round((100 * plain.filter(isFirst).length) / plain.length)} %`
}

/** As the formatter likes it. */
function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...body].map((cells) => cells[i]!.length)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}
