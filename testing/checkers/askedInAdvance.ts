import type { NodeId, Term } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import { isMajority } from './majority.ts'
import type { MakeChecker } from './observation.ts'
import { received } from './received.ts'

interface Memory {
  /** The last term that it campaigned in. */
  campaigned: Term
  /** Who has said yes in advance to which term, also to one that it asked for in an earlier life. */
  consents: Map<Term, Set<NodeId>>
}

/**
 * A server raises its term only when a majority, itself among it, has said yes in advance (thesis §9.6), or when
 * its leader hands over to it (§3.10).
 */
export const askedInAdvance: MakeChecker = (violate) => {
  const lives = new Lives<Memory>(() => ({ campaigned: 0, consents: new Map() }))
  return {
    name: 'asked in advance',
    observe: (seen) => {
      if (seen.type !== 'step') return
      const { id, life, step } = seen
      const { role, term, config, members } = step.state
      const memory = lives.of(id, life)
      const { consents } = memory
      let isHandedOver = false
      for (const { from, message } of received(step)) {
        isHandedOver ||= message.type === 'timeoutNow' && message.term + 1 === term
        if (message.type !== 'vote' || !message.pre || !message.granted) continue
        consents.set(message.term, (consents.get(message.term) ?? new Set()).add(from))
      }
      if (role.type !== 'candidate' || term === memory.campaigned) return
      memory.campaigned = term
      const hasConsented = (voter: NodeId): boolean =>
        voter === id || consents.get(term)?.has(voter) === true
      const isConsented = isMajority(members, hasConsented)
      const voters = [...new Set([...members.voters, ...members.outgoing])]
      const yes = voters.filter(hasConsented)
      for (const past of consents.keys()) if (past <= term) consents.delete(past)
      const isAlone = voters.every((voter) => voter === id)
      if (!config.preVote || isAlone || isHandedOver || isConsented) return
      violate(
        `${id} raised its term to ${term} with the consent of ${yes.length} of ${voters.length}`,
      )
    },
  }
}
