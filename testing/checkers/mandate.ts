import type { NodeId, Term } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import { isMajority } from './majority.ts'
import type { MakeChecker, Observation } from './observation.ts'

/** Whoever leads was voted for in its term by a majority, each vote on the voter's disk (§5.2). */
export const mandate: MakeChecker = (violate) => {
  const ballots = new Map<string, Set<NodeId>>()
  const lives = new Lives<{ led: Term }>(() => ({ led: -1 }))

  const judge = ({ id, life, step }: Extract<Observation, { type: 'step' }>): void => {
    const { role, term, members } = step.state
    const known = lives.of(id, life)
    if (role.type !== 'leader' || known.led === term) return
    known.led = term
    const votes = ballots.get(ballot(term, id))
    const hasVoted = (voter: NodeId): boolean => votes?.has(voter) === true
    if (isMajority(members, hasVoted)) return
    const voters = [...new Set([...members.voters, ...members.outgoing])]
    violate(
      `${id} leads term ${term} with ${voters.filter(hasVoted).length} of ${voters.length} votes`,
    )
  }

  return {
    name: 'mandate',
    observe: (seen) => {
      if (seen.type === 'step') judge(seen)
      if (seen.type !== 'durable' || seen.vote === undefined) return
      const key = ballot(seen.term, seen.vote)
      const votes = ballots.get(key) ?? new Set()
      ballots.set(key, votes.add(seen.id))
    },
  }
}

const ballot = (term: Term, candidate: NodeId): string => `${term} ${candidate}`
