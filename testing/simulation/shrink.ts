import type { FaultEvent } from './faults.ts'

/**
 * The least of a schedule that still fails: no single event of what is left can be left out (Zeller's delta
 * debugging). `fails` simulates with a part of the schedule and tells whether the run fails as it did; it is
 * asked at most `tries` times (default 200), and what is smallest by then is returned.
 */
export function shrink(
  schedule: readonly FaultEvent[],
  fails: (schedule: readonly FaultEvent[]) => boolean,
  tries = 200,
): readonly FaultEvent[] {
  let smallest = schedule
  let left = tries
  const isEnough = (part: readonly FaultEvent[]): boolean => {
    if (left-- <= 0 || !fails(part)) return false
    smallest = part
    return true
  }
  if (isEnough([])) return smallest
  for (let parts = 2; parts <= smallest.length && left > 0;) {
    const size = Math.ceil(smallest.length / parts)
    const isSmaller = without(smallest, size).some(isEnough)
    if (isSmaller) parts = Math.max(2, parts - 1)
    else if (size === 1) break
    else parts = Math.min(smallest.length, parts * 2)
  }
  return smallest
}

/** The schedule without each of its parts of `size` events in turn. */
function without(schedule: readonly FaultEvent[], size: number): (readonly FaultEvent[])[] {
  const starts = Array.from({ length: Math.ceil(schedule.length / size) }, (_, i) => i * size)
  return starts.map((start) => [...schedule.slice(0, start), ...schedule.slice(start + size)])
}
