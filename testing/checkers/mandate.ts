import type { Envelope } from '../../lib/messages.ts'
import type { NodeId, Term } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import { isMajority } from './majority.ts'
import type { MakeChecker, Observation } from './observation.ts'

/**
 * Whoever leads was voted for in its term by a majority, each vote on the voter's disk (§5.2), or given when a
 * later term was there already: then it cannot be given again.
 */
export const mandate: MakeChecker = (violate) => {
  const ballots = new Map<string, Set<NodeId>>()
  const terms = new Map<NodeId, Term>()
  const lives = new Lives<{ led: Term }>(() => ({ led: -1 }))

  const count = (voter: NodeId, term: Term, candidate: NodeId): void => {
    const key = ballot(term, candidate)
    const votes = ballots.get(key) ?? new Set()
    ballots.set(key, votes.add(voter))
  }

  const hear = ({ id, step }: Extract<Observation, { type: 'step' }>): void => {
    for (const { to, message } of step.send.filter(isVote)) {
      if ((terms.get(id) ?? 0) > message.term) count(id, message.term, to)
    }
  }

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
      if (seen.type === 'durable') {
        terms.set(seen.id, seen.term)
        if (seen.vote !== undefined) count(seen.id, seen.term, seen.vote)
      }
      if (seen.type !== 'step') return
      hear(seen)
      judge(seen)
    },
  }
}

const isVote = ({ message }: Envelope): boolean =>
  message.type === 'vote' && !message.pre && message.granted

const ballot = (term: Term, candidate: NodeId): string => `${term} ${candidate}`
