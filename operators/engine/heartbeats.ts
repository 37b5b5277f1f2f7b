import { map, type OperatorFunction, type SchedulerLike } from 'rxjs'
import type { Event } from '../../lib/events.ts'
import type { Step } from '../../lib/turn.ts'
import { alarm } from './alarm.ts'
import { monotonic } from './monotonic.ts'

/** A follower learns of a commit this many ms after it, if no entries have told it before. */
const TELL_AFTER = 2

/**
 * The leader's pulse (§5.2): while this server leads, `heartbeatTimeout` every `interval` ms, and soon
 * after a commit that no message has told the followers yet.
 *
 * ```
 * steps         f---l---------l---------f-----
 * heartbeats    ---------x---------x----------     an interval after the last pulse
 * ```
 *
 * Completes and errors with the steps.
 */
export function heartbeats(
  interval: number,
  scheduler: SchedulerLike = monotonic,
): OperatorFunction<Step, Event> {
  return (steps) =>
    steps.pipe(
      alarm(({ state: { role } }) => {
        if (role.type !== 'leader' || role.progress.length === 1) return undefined
        const next = role.pulse + interval
        return role.untold === undefined ? next : Math.min(next, role.untold + TELL_AFTER)
      }, scheduler),
      map((at) => ({ type: 'heartbeatTimeout', at })),
    )
}
