import type { Result } from './report.ts'

/** Figures of any kind, a line each. */
export const list = (results: readonly Result[]): string => results.map(line).join('\n')

function line(result: Result): string {
  const { case: name, metric, unit, median, min, max, runs } = result
  const range = runs === 1 ? '' : ` (${number(min)}–${number(max)})`
  const value = `${number(median)}${range} ${unit}`
  return `${name.padEnd(26)}  ${metric.padEnd(14)}  ${value.padStart(34)}${beside(result)}${aim(result)}`
}

function beside({ ratioTo, ratio, ratioMin, ratioMax, runs }: Result): string {
  if (ratioTo === null || ratio === null) return ''
  const range = runs === 1 ? '' : ` (${number(ratioMin ?? ratio)}–${number(ratioMax ?? ratio)})`
  return `  × ${number(ratio)}${range} of ${ratioTo}`
}

const aim = ({ target, met }: Result): string =>
  target === null ? '' : `  ${met === true ? 'met' : 'missed'}: ${number(target)}`

/** Three digits that count. */
export function number(value: number): string {
  if (Math.abs(value) >= 100 || Number.isInteger(value)) {
    return Math.round(value).toLocaleString('en')
  }
  return Number(value.toPrecision(3)).toString()
}
