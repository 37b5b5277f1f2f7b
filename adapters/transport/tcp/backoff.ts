/**
 * Milliseconds before attempt number `attempt`, counted from 1: twice as long each time from `min` up
 * to `max`, of which the upper half is left to chance, so that servers do not knock in step.
 */
export function backoff(
  attempt: number,
  [min, max]: readonly [min: number, max: number],
  random: () => number,
): number {
  const longest = Math.min(max, min * 2 ** Math.min(attempt - 1, 50))
  return longest * (0.5 + random() / 2)
}
