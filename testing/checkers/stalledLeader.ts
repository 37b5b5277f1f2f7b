import type { Index, Millis } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import type { MakeChecker } from './observation.ts'

/** A save that the disk has not answered. */
interface Asked {
  readonly sequence: number
  readonly at: Millis
  /** Its first entry; `Infinity` when it has none. */
  readonly first: Index
}

/** A leader whose disk does not answer leads no longer than `diskStall`, if the others commit without it. */
export const stalledLeader: MakeChecker = (violate) => {
  const lives = new Lives<{ asked: Asked[] }>(() => ({ asked: [] }))
  return {
    name: 'stalled leader',
    observe: (seen) => {
      if (seen.type !== 'step') return
      const { id, step } = seen
      const { save, state, at } = step
      const memory = lives.of(id, seen.life)
      for (const event of step.events) {
        if (event.type !== 'saved') continue
        memory.asked = memory.asked.filter(({ sequence }) => sequence > event.sequence)
      }
      if (save !== undefined) {
        memory.asked.push({
          sequence: save.sequence,
          at,
          first: save.batches[0]?.index ?? Infinity,
        })
      }
      const [oldest] = memory.asked
      if (state.role.type !== 'leader' || oldest === undefined) return
      if (at - oldest.at < state.config.diskStall) return
      if (memory.asked.every(({ first }) => first > state.commitIndex)) return
      violate(
        `${id} leads term ${state.term} on, ${Math.round(at - oldest.at)} ms after it asked its disk`,
      )
    },
  }
}
