import type { NodeId, Term } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import type { MakeChecker, Observation } from './observation.ts'

/** Whoever leads was voted for in its term by a majority, each vote on the voter's disk (§5.2). */
export const mandate: MakeChecker = (violate) => {
  const voters = new Map<string, Set<NodeId>>()
  const lives = new Lives<{ led: Term }>(() => ({ led: -1 }))

  const judge = ({ id, life, step }: Extract<Observation, { type: 'step' }>): void => {
    const { role, term, members } = step.state
    const known = lives.of(id, life)
    if (role.type !== 'leader' || known.led === term) return
    known.led = term
    const votes = voters.get(ballot(term, id))
    const count = members.voters.filter((voter) => votes?.has(voter) === true).length
    if (count * 2 > members.voters.length) return
    violate(`${id} leads term ${term} with ${count} of ${members.voters.length} votes`)
  }

  return {
    name: 'mandate',
    observe: (seen) => {
      if (seen.type === 'step') judge(seen)
      if (seen.type !== 'durable' || seen.vote === undefined) return
      const key = ballot(seen.term, seen.vote)
      const votes = voters.get(key) ?? new Set()
      voters.set(key, votes.add(seen.id))
    },
  }
}

const ballot = (term: Term, candidate: NodeId): string => `${term} ${candidate}`
