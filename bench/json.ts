import type { Result } from './report.ts'

/** What `--json` writes: the machine, the command, and every figure. */
export const json = (machine: string, command: string, results: readonly Result[]): string =>
  JSON.stringify({ machine, command, results: results.map(plain) }, undefined, 2) + '\n'

const plain = (result: Result) => ({
  suite: result.suite,
  case: result.case,
  metric: result.metric,
  unit: result.unit,
  median: result.median,
  min: result.min,
  max: result.max,
  runs: result.runs,
  values: result.values,
  ratioTo: result.ratioTo,
  ratio: result.ratio,
  target: result.target,
  met: result.met,
})
