import type { Millis, NodeId, Term } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import { reachedByMost } from './majority.ts'
import type { MakeChecker } from './observation.ts'
import { received } from './received.ts'

interface Leadership {
  term: Term
  /** How long it has been awake since it leads, on its own clock. */
  awake: Millis
  last: Millis
  /** How long it had been awake when it heard whom last. */
  readonly heard: Map<NodeId, Millis>
}

/**
 * A leader that is awake and hears no majority steps down (thesis §6.2): at the latest after twice the longest
 * election timeout. A turn that comes late, because the server was paused or its clock jumped, counts
 * for no more than the time between two pulses.
 */
export const cutOffLeader: MakeChecker = (violate) => {
  const lives = new Lives<{ leadership: Leadership | undefined }>(() => ({ leadership: undefined }))
  return {
    name: 'cut-off leader',
    observe: (seen) => {
      if (seen.type !== 'step') return
      const { id, step } = seen
      const { role, term, config, members } = step.state
      const memory = lives.of(id, seen.life)
      if (role.type !== 'leader' || !config.checkQuorum) {
        memory.leadership = undefined
        return
      }
      if (memory.leadership?.term !== term) {
        memory.leadership = { term, awake: 0, last: step.at, heard: new Map() }
      }
      const { leadership } = memory
      leadership.awake += Math.min(step.at - leadership.last, config.electionTimeoutMin / 2)
      leadership.last = step.at
      const { awake, heard } = leadership
      for (const { from, message } of received(step)) {
        if (message.term === term) heard.set(from, awake)
      }
      // Whoever is new has not been silent before.
      const since = (voter: NodeId): Millis => {
        if (!heard.has(voter)) heard.set(voter, awake)
        return heard.get(voter)!
      }
      const silence =
        awake - reachedByMost(members, (voter) => (voter === id ? awake : since(voter)))
      if (silence <= 2 * config.electionTimeoutMax) return
      violate(`${id} leads term ${term} on, ${Math.round(silence)} ms after it heard a majority`)
    },
  }
}
