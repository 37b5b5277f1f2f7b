import type { Millis } from '../../../lib/types.ts'

/** Down times of many trials, in ms. */
export interface Statistics {
  readonly median: Millis
  readonly p99: Millis
  readonly max: Millis
}

/** Of values in ascending order; `NaN` where there are none. */
export function statisticsOf(sorted: readonly Millis[]): Statistics {
  return { median: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) }
}

/** The smallest value that at least the part `q` of all values does not exceed. */
export const quantile = (sorted: readonly Millis[], q: number): Millis =>
  sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? NaN
