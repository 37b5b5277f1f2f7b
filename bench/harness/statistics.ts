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
