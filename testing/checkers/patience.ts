import type { Millis, NodeId } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import type { MakeChecker, Observation } from './observation.ts'

/** So many silences must be known before they are judged. */
const ENOUGH = 16
/** Of the range that they are drawn from, silences in this part are alike. */
const ALIKE = 0.05
/** So many of them alike cannot be chance: less than once in many million runs. */
const TOO_MANY = 0.75

/**
 * How long servers wait before they campaign is drawn by chance (§5.2): if most of the silences of a run were
 * alike, servers would campaign at once again and again.
 */
export const patience: MakeChecker = (violate) => {
  const silences: Millis[] = []
  let range: Millis = 0
  const contacts = new Lives<{ contact: Millis | undefined }>(() => ({ contact: undefined }))

  const measure = (id: NodeId, seen: Extract<Observation, { type: 'step' }>): void => {
    const { state, events } = seen.step
    const { electionTimeoutMin: min, electionTimeoutMax: max } = state.config
    const memory = contacts.of(id, seen.life)
    range = max - min
    for (const event of events) {
      if (event.type !== 'electionTimeout' || memory.contact === undefined) continue
      const silence = event.at - memory.contact
      // A server that was paused waits longer than it meant to.
      if (silence <= max + 1) silences.push(silence)
    }
    memory.contact = state.booted ? state.contact : undefined
  }

  return {
    name: 'patience',
    observe: (seen) => {
      if (seen.type === 'step') measure(seen.id, seen)
      if (seen.type !== 'ended' || range === 0 || silences.length < ENOUGH) return
      const most = mostAlike(silences, range * ALIKE)
      if (most <= silences.length * TOO_MANY) return
      violate(`${most} of ${silences.length} silences before elections were alike`)
    },
  }
}

/** The largest number of values that differ by no more than `width`. */
function mostAlike(values: readonly number[], width: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  let first = 0
  return sorted.reduce((most, value, i) => {
    while (value - sorted[first]! > width) first++
    return Math.max(most, i - first + 1)
  }, 0)
}
