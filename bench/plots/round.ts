import type { Axis } from './chart.ts'

/** Room beside the outermost values, as a factor. */
const ROOM = 1.2

/** A logarithmic axis that holds these values: marked at powers of ten, and at 2 and 5 between them where those are few. */
export function roundOf(values: readonly number[]): Pick<Axis, 'ticks' | 'format' | 'domain'> {
  const [from, to] = [Math.min(...values) / ROOM, Math.max(...values) * ROOM]
  const steps = to / from > 300 ? [1] : [1, 2, 5]
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(from)); 10 ** power <= to; power++) {
    // Powers below 1 are not exact.
    for (const step of steps) ticks.push(Number((step * 10 ** power).toPrecision(1)))
  }
  return {
    ticks: ticks.filter((tick) => tick >= from && tick <= to),
    format: short,
    domain: [from, to],
  }
}

/** 2000 as 2k, 1500000 as 1.5M. */
function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`
  return value >= 1e3 ? `${value / 1e3}k` : String(value)
}
