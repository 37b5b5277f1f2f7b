import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Millis } from '../../../lib/types.ts'
import { svg } from './plot.ts'
import { fiveWrites, others } from './readings.ts'
import { markdown, type Row } from './report.ts'
import { statisticsOf, type Statistics } from './statistics.ts'
import { thesis } from './thesis.ts'
import { downTimes, type Range, type Setting } from './trial.ts'

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '1000' },
    /** Prints only. */
    dry: { type: 'boolean', default: false },
  },
})
const trials = Number(values.trials)
const rows = thesis.map(([timeouts, figures]) => measured(timeouts, figures))
if (!values.dry) {
  writeFileSync('docs/availability.md', markdown(rows, trials))
  writeFileSync('docs/availability.svg', svg(rows))
}

function measured(timeouts: Range, figures: Statistics): Row {
  const times = ({ oneWay, write }: Setting, preVote: boolean): Millis[] =>
    downTimes({ timeouts, oneWay, write, preVote }, trials)
  console.log(`timeouts ${timeouts.join('–')} ms: median, 99th percentile, longest`)
  const row: Row = {
    timeouts,
    thesis: figures,
    plain: times(fiveWrites, false),
    preVote: times(fiveWrites, true),
    others: others.map((reading) => [reading, times(reading, false)]),
  }
  show('thesis', figures)
  show('plain', statisticsOf(row.plain))
  show('pre-vote', statisticsOf(row.preVote))
  for (const [{ meaning }, sorted] of row.others) show(`plain, ${meaning}`, statisticsOf(sorted))
  return row
}

function show(who: string, { median, p99, max }: Statistics): void {
  console.log(`  ${[median, p99, max].map((ms) => Math.round(ms)).join(' / ')}  ${who}`)
}
