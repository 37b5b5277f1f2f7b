/** The value that more than half of the voters have reached, of a list with one value for each. */
export function reachedByMost(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? 0
}
