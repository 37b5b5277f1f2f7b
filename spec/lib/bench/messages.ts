import type { Batch } from '../../../lib/batch.ts'
import type { Append, Heartbeat, RequestVote, Vote } from '../../../lib/messages.ts'
import type { Index, Term } from '../../../lib/types.ts'

/** What servers say, in few words. A candidate whose log is empty asks for a vote: */
export const ask = (term: Term, lastIndex: Index = 0, lastTerm: Term = 0): RequestVote => ({
  type: 'requestVote',
  term,
  pre: false,
  handedOver: false,
  lastIndex,
  lastTerm,
})

/** The same question in advance. */
export const askAhead = (term: Term, lastIndex: Index = 0, lastTerm: Term = 0): RequestVote => ({
  ...ask(term, lastIndex, lastTerm),
  pre: true,
})

export const vote = (term: Term, granted = true): Vote => ({
  type: 'vote',
  term,
  pre: false,
  granted,
})

export const voteAhead = (term: Term, granted = true): Vote => ({
  ...vote(term, granted),
  pre: true,
})

/** `prev` is the index and the term of the entry before the first one. */
export const append = (
  term: Term,
  [prevIndex, prevTerm]: readonly [Index, Term],
  batches: readonly Batch[] = [],
  commit: Index = 0,
): Append => ({ type: 'append', term, prevIndex, prevTerm, batches, commit })

/** A pulse; the entry that it commits is of the leader's own term unless another is given. */
export const heartbeat = (
  term: Term,
  commit: Index = 0,
  round = 1,
  commitTerm: Term = commit === 0 ? 0 : term,
): Heartbeat => ({
  type: 'heartbeat',
  term,
  commit,
  commitTerm,
  round,
})
