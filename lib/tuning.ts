import type { Progress } from './progress.ts'
import { isVoter, type Leader, type Pulse, type State } from './state.ts'
import type { Millis } from './types.ts'

/**
 * Election timeouts that follow from measured round trips. A leader times its pulses, one at a time to each
 * follower, and tells its followers with each pulse how long a round trip is. Nothing but patience depends on it:
 * loyalty, leases and check-quorum go by the bounds that were given (docs/leadership.md).
 */

/** A round trip as it was measured: its mean, and how far it strays from it (as in RFC 6298). */
export interface Trip {
  readonly mean: Millis
  readonly deviation: Millis
}

export const measured = (trip: Trip | undefined, ms: Millis): Trip =>
  trip === undefined
    ? { mean: ms, deviation: ms / 2 }
    : {
        mean: trip.mean + (ms - trip.mean) / 8,
        deviation: trip.deviation + (Math.abs(ms - trip.mean) - trip.deviation) / 4,
      }

/** What a follower's answer to a pulse tells of the one that is timed. A lost answer counts until the next one. */
export function timed(
  { timing, trip }: Progress,
  round: number,
  at: Millis,
  longest: Millis,
): Partial<Progress> {
  if (timing === undefined || round < timing.round) return {}
  return { timing: undefined, trip: measured(trip, Math.min(at - timing.at, longest)) }
}

/** The pulse by which a follower is timed from now on. */
export const timing = ({ config }: State, follower: Progress, pulse: Pulse): Pulse | undefined =>
  config.isTuned ? (follower.timing ?? pulse) : undefined

/** What few round trips to the slowest of the voters take longer than, in whole ms; `undefined` before one is known. */
export function longTrip(state: State, { progress }: Leader, at: Millis): Millis | undefined {
  const { config } = state
  if (!config.isTuned) return undefined
  const trips = progress
    .filter(({ id, contact }) => isVoter(state, id) && at - contact < config.electionTimeoutMax)
    .flatMap(({ trip }) => (trip === undefined ? [] : [trip.mean + 4 * trip.deviation]))
  return trips.length === 0 ? undefined : Math.ceil(Math.max(...trips))
}

/**
 * The shortest patience of a server that follows, of `given` ms before anything is known. One pulse may be
 * lost, and another may be late; an election takes two round trips between two followers, each at most twice as long
 * as one to the leader.
 */
export function shortestPatience(
  { role, config }: State,
  heartbeat: Millis,
  given: Millis,
): Millis {
  if (role.type !== 'follower' || role.trip === undefined) return given
  return Math.min(given, Math.max(config.electionTimeoutMin, 2 * heartbeat + 4 * role.trip))
}
