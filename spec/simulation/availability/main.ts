import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { markdown, svg, type Row } from './report.ts'
import { statisticsOf, type Statistics } from './statistics.ts'
import { downTime, type Range } from './trial.ts'

/** The thesis's figures for the same experiment in a LAN. */
const paper: readonly (readonly [Range, Statistics])[] = [
  [[150, 155], { median: 287, p99: 1224, max: 2143 }],
  [[150, 175], { median: 141, p99: 462, max: 610 }],
  [[150, 200], { median: 146, p99: 345, max: 512 }],
  [[150, 300], { median: 171, p99: 405, max: 603 }],
]

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '1000' },
    /** Prints only. */
    dry: { type: 'boolean', default: false },
  },
})
const trials = Number(values.trials)
const rows = paper.map(([range, figures]): Row => {
  const measure = (preVote: boolean): number[] =>
    Array.from({ length: trials }, (_, seed) => downTime(range, seed, preVote)).sort(
      (a, b) => a - b,
    )
  const row = { range, paper: figures, preVote: measure(true), plain: measure(false) }
  console.log(
    [
      `timeouts ${range.join('–')} ms`.padEnd(24),
      show('thesis', figures),
      show('ours without pre-vote', statisticsOf(row.plain)),
      show('ours with pre-vote', statisticsOf(row.preVote)),
    ].join('  '),
  )
  return row
})
if (!values.dry) {
  writeFileSync('docs/availability.md', markdown(rows, trials))
  writeFileSync('docs/availability.svg', svg(rows))
}

function show(who: string, { median, p99, max }: Statistics): string {
  return `${who}: ${[median, p99, max].map((ms) => Math.round(ms)).join(' / ')}`
}
