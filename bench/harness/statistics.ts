/** The middle of several runs, and how far they lie apart. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  const low = sorted[Math.ceil(half) - 1]!
  const high = sorted[Math.floor(half)]!
  return { median: (low + high) / 2, min: sorted[0]!, max: sorted.at(-1)! }
}

/** Each run against the run beside it: what drifts in the machine drifts in both. */
export const ratios = (values: readonly number[], yardstick: readonly number[]): number[] =>
  values.map((value, i) => value / yardstick[i]!)

/** How much more the last value is than the first, as a share of the middle, by the straight line that fits best. */
export function growth(values: readonly number[]): number {
  const { length } = values
  if (length < 2) return 0
  return (slope(values) * (length - 1)) / mean(values)
}

/** What is gained from one value to the next, by the straight line of least squares. */
export function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const average = mean(values)
  let [covariance, variance] = [0, 0]
  for (const [i, value] of values.entries()) {
    covariance += (i - middle) * (value - average)
    variance += (i - middle) ** 2
  }
  return variance === 0 ? 0 : covariance / variance
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
