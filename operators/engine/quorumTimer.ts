import { map, type OperatorFunction, type SchedulerLike } from 'rxjs'
import type { Event } from '../../lib/events.ts'
import { quorumContact } from '../../lib/state.ts'
import type { Step } from '../../lib/turn.ts'
import { alarm } from './alarm.ts'
import { monotonic } from './monotonic.ts'

/**
 * A leader cut off (thesis §6.2): `quorumTimeout` once it has not heard a quorum for the longest
 * election timeout, so that it steps down and its clients need not wait for ever.
 *
 * ```
 * steps          l--l--l------------f---     a quorum heard, heard, heard, then silence
 * quorumTimer    ------------x----------
 * ```
 *
 * Completes and errors with the steps.
 */
export function quorumTimer(scheduler: SchedulerLike = monotonic): OperatorFunction<Step, Event> {
  return (steps) =>
    steps.pipe(
      alarm(({ state }) => {
        const { role, config } = state
        if (role.type !== 'leader' || !config.checkQuorum) return undefined
        const heard = quorumContact(state, role)
        return heard === Infinity ? undefined : heard + config.electionTimeoutMax
      }, scheduler),
      map((at) => ({ type: 'quorumTimeout', at })),
    )
}
