import type { Spread } from './harness/statistics.ts'
import type { Result } from './report.ts'

const COLUMNS = [
  { title: 'outstanding', width: 11 },
  { title: '', width: 8 },
  { title: 'durable commits/s', width: 28 },
  { title: 'p50 ms', width: 22 },
  { title: 'p99 ms', width: 22 },
  { title: 'CPU µs/commit', width: 22 },
  { title: 'of the ceiling', width: 22 },
]

export const header = (): string => line(COLUMNS.map(({ title }) => title))

/** The results of one load: a line for the yardstick and one for the engine. */
export function rows(results: readonly Result[]): string {
  const names = [...new Set(results.map((result) => result.case))]
  return names
    .map((name) =>
      row(
        name,
        results.filter((it) => it.case === name),
      ),
    )
    .join('\n')
}

function row(name: string, results: readonly Result[]): string {
  const [subject = '', outstanding = ''] = name.split(' ')
  const cells = results.map(({ metric, ...range }) =>
    show(range, metric === 'throughput' ? commits : decimal),
  )
  const { ratio, target, met } = results[0]!
  const aim = target === null ? '' : ` ${met === true ? '≥' : '<'} ${percent(target)}`
  return line([outstanding, subject, ...cells, ratio === null ? '' : show(ratio, percent) + aim])
}

const line = (cells: readonly string[]): string =>
  cells.map((cell, i) => cell.padStart(COLUMNS[i]!.width)).join('  ')

const show = ({ median, min, max }: Spread, format: (value: number) => string): string =>
  `${format(median)} (${format(min)}–${format(max)})`

const commits = (value: number): string => Math.round(value).toLocaleString('en')
const decimal = (value: number): string => value.toFixed(value < 10 ? 2 : 1)
const percent = (value: number): string => `${Math.round(value * 100)} %`
