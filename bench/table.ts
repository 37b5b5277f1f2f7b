import type { Result } from './report.ts'

interface Column {
  readonly title: string
  readonly width: number
  readonly show: (results: readonly Result[]) => string
}

/** Results of one case by their metric: `*` stands for anything. */
const column = (
  title: string,
  width: number,
  metric: string,
  show: (it: Result) => string,
): Column => ({
  title,
  width,
  show: (results) =>
    results
      .filter((it) => it.metric === metric)
      .map(show)
      .join(' '),
})

const commits = (value: number): string => Math.round(value).toLocaleString('en')
const decimal = (value: number): string => value.toFixed(value < 10 ? 2 : 1)
const median = (it: Result): string => decimal(it.median)
const range =
  (format: (value: number) => string) =>
  ({ median, min, max }: Result): string =>
    `${format(median)} (${format(min)}–${format(max)})`

const COLUMNS: readonly Column[] = [
  { title: '', width: 18, show: ([first]) => first?.case ?? '' },
  column('durable commits/s', 28, 'throughput', range(commits)),
  column('p50 ms', 18, 'p50', range(decimal)),
  column('p99 ms', 18, 'p99', range(decimal)),
  column('p99.9 ms', 8, 'p99.9', median),
  column('max ms', 8, 'max', median),
  column('CPU µs/commit', 13, 'cpu', median),
  { title: 'RSS MB', width: 14, show: (results) => memory(results) },
  { title: 'beside the yardstick', width: 28, show: (results) => beside(results) },
]

export const header = (): string => line(COLUMNS.map(({ title }) => title))

/** The results of several cases, a line for each. */
export function rows(results: readonly Result[]): string {
  const names = [...new Set(results.map((result) => result.case))]
  return names.map((name) => row(results.filter((it) => it.case === name))).join('\n')
}

const row = (results: readonly Result[]): string => line(COLUMNS.map(({ show }) => show(results)))

/** The leader's first. */
const memory = (results: readonly Result[]): string =>
  results
    .filter(({ metric }) => metric.startsWith('rss '))
    .map(({ median }) => Math.round(median))
    .join(' ')

/** The ratio that is aimed at, or that of the commits. */
function beside(results: readonly Result[]): string {
  const aimed = results.find(({ target }) => target !== null)
  const { metric, ratio, ratioMin, ratioMax, target, met } = aimed ?? results[0]!
  if (ratio === null || ratioMin === null || ratioMax === null) return ''
  const aim = target === null ? '' : `, ${met === true ? 'met' : 'missed'}: ${target}`
  const name = metric === 'throughput' ? '' : `${metric} `
  return `${name}× ${decimal(ratio)} (${decimal(ratioMin)}–${decimal(ratioMax)})${aim}`
}

const line = (cells: readonly string[]): string =>
  cells.map((cell, i) => cell.padStart(COLUMNS[i]!.width)).join('  ')
