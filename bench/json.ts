import type { Result } from './report.ts'

/** What `--json` writes: the machine, and a line for each figure. */
export const json = (machine: string, results: readonly Result[]): string =>
  JSON.stringify({ machine, results: results.map(plain) }, undefined, 2) + '\n'

const plain = (result: Result) => ({
  suite: result.suite,
  case: result.case,
  metric: result.metric,
  unit: result.unit,
  median: result.median,
  min: result.min,
  max: result.max,
  runs: result.runs,
  ratioTo: result.ratioTo,
  ratio: result.ratio,
  target: result.target,
  met: result.met,
})
