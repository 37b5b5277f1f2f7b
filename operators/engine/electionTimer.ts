import { map, type OperatorFunction, type SchedulerLike } from 'rxjs'
import { mindsSilence } from '../../lib/election.ts'
import type { Event } from '../../lib/events.ts'
import { isOutranked } from '../../lib/priorities.ts'
import type { Step } from '../../lib/turn.ts'
import { shortestPatience } from '../../lib/tuning.ts'
import type { Millis } from '../../lib/types.ts'
import { alarm } from './alarm.ts'
import { monotonic } from './monotonic.ts'

/**
 * Silence (§5.2): when a server that does not lead has heard nothing for as long as its patience, it
 * raises `electionTimeout`. Patience is drawn anew, between the two bounds in ms, for every term and
 * after every timeout, so that two servers seldom campaign at once; a server that another voter outranks waits
 * longer by the difference of the two. Both bounds shrink alike where the leader says how long a round trip takes.
 *
 * ```
 * steps            f--f--f-------------c----l---     heard, heard, heard, then nothing
 * electionTimer    -------------x--------------     patience after the last f; none while leading
 * ```
 *
 * Completes and errors with the steps.
 */
export function electionTimer(
  bounds: readonly [min: number, max: number],
  random: () => number,
  heartbeat: Millis,
  scheduler: SchedulerLike = monotonic,
): OperatorFunction<Step, Event> {
  const [min, max] = bounds
  return (steps) => {
    let term = -1
    let share = 0
    const draw = (): void => {
      share = random()
    }
    return steps.pipe(
      alarm(({ state, at }) => {
        // Where the disk has stalled: until it answers, which is a step.
        if (!state.booted || !mindsSilence(state, at)) return undefined
        if (state.term !== term) draw()
        term = state.term
        const shortest = shortestPatience(state, heartbeat, min)
        const range = (max - min) * (shortest / min)
        // Whom another outranks campaigns after it, and never later than twice as long.
        const turnsLater = isOutranked(state.members, state.config.id) ? range : 0
        return state.contact + (shortest + share * range) + turnsLater
      }, scheduler),
      map((at) => {
        draw()
        return { type: 'electionTimeout', at }
      }),
    )
  }
}
