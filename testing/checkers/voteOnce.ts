import type { Envelope } from '../../lib/messages.ts'
import type { Ballot, NodeId, Term } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import type { MakeChecker, Observation } from './observation.ts'

/**
 * A server votes for at most one candidate in a term (§5.2): in its memory for as long as it lives, on its
 * disk and in what it sends over all lives. A wiped disk has nothing to remember.
 */
export const voteOnce: MakeChecker = (violate) => {
  const votes = new Map<NodeId, Map<Term, NodeId>>()
  const minds = new Lives<{ ballot: Ballot }>(() => ({ ballot: { term: 0, vote: undefined } }))

  const note = (id: NodeId, term: Term, candidate: NodeId, where: string): void => {
    const own = votes.get(id) ?? new Map<Term, NodeId>()
    votes.set(id, own)
    const known = own.get(term) ?? candidate
    own.set(term, known)
    if (known === candidate) return
    violate(`${id} voted for ${known} and ${where} for ${candidate} in term ${term}`)
  }

  const save = ({ id, term, vote }: Extract<Observation, { type: 'durable' }>): void => {
    if (vote !== undefined) return note(id, term, vote, 'on its disk')
    const known = votes.get(id)?.get(term)
    if (known === undefined) return
    violate(`the disk of ${id} forgot the vote for ${known} within term ${term}`)
  }

  const take = ({ id, life, step }: Extract<Observation, { type: 'step' }>): void => {
    const { term, vote } = step.state
    const mind = minds.of(id, life)
    const { ballot } = mind
    if (ballot.term === term && ballot.vote !== undefined && ballot.vote !== vote) {
      violate(`${id} turned from ${ballot.vote} to ${vote ?? 'nobody'} within term ${term}`)
    }
    mind.ballot = step.state
    for (const envelope of step.send) {
      const candidate = candidateOf(envelope)
      if (candidate !== undefined) note(id, envelope.message.term, candidate, 'in a message')
    }
  }

  return {
    name: 'vote once',
    observe: (seen) => {
      if (seen.type === 'wiped') votes.delete(seen.id)
      if (seen.type === 'durable') save(seen)
      if (seen.type === 'step') take(seen)
    },
  }
}

/** For whom the sender of a message has voted: a candidate who asks has voted for itself. */
function candidateOf({ from, to, message }: Envelope): NodeId | undefined {
  if (message.type === 'vote' && !message.pre && message.granted) return to
  return message.type === 'requestVote' && !message.pre ? from : undefined
}
