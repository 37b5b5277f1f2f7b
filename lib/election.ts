import { noop } from './batch.ts'
import { append } from './log.ts'
import { settledThrough } from './configurations.ts'
import { serversOf, votes } from './members.ts'
import { abandonChange } from './changes.ts'
import { abandonTransfer } from './transfer.ts'
import type { RequestVote, Vote } from './messages.ts'
import { isQuorum } from './quorum.ts'
import { abandonReads } from './reads.ts'
import { heldBy, unknownProgress } from './progress.ts'
import {
  isStalled,
  leaderOf,
  peersOf,
  quorumContact,
  type Candidate,
  type Leader,
  type PreCandidate,
  type State,
  type Votes,
} from './state.ts'
import { ballot, promise, send, update, write, type Turn } from './turn.ts'
import type { Millis, NodeId, Term } from './types.ts'
import { InvariantError } from './errors.ts'
import { lacksState } from './witnesses.ts'

/** The leader was silent for too long: ask for votes (§5.2), in advance first (thesis §9.6). */
export function electionTimeout(turn: Turn): Turn {
  const { state } = turn
  if (state.role.type === 'leader') return turn
  // The leader's word may have arrived in the same turn as the timeout that it came too late for.
  if (isLoyal(state, state.config.id, turn.at)) return turn
  // Who cannot campaign no longer says who leads: it may have been sent away, and never hear of the next.
  if (!mayCampaign(state, turn.at)) return follow(turn, state.term, undefined)
  const isAlone = peersOf(state).length === 0
  return state.config.preVote && !isAlone ? precampaign(turn) : campaign(turn, false)
}

/** The leader hands its leadership over to this server: it campaigns at once (thesis §3.10). */
export function timeoutNow(turn: Turn, from: NodeId): Turn {
  const { state } = turn
  const { role } = state
  if (role.type !== 'follower' || role.leader !== from) return turn
  // Whoever can take in nothing new is not to have it.
  return mayCampaign(state, turn.at) && !state.isShortOfSpace ? campaign(turn, true) : turn
}

/** The leader has not heard a quorum for an election timeout: it steps down (thesis §6.2). */
export function quorumTimeout(turn: Turn): Turn {
  const { role, config } = turn.state
  if (role.type !== 'leader' || !config.checkQuorum) return turn
  // As the timer adds: a difference may round to a little less than what it waited for.
  if (turn.at < quorumContact(turn.state, role) + config.electionTimeoutMax) return turn
  return follow(turn, turn.state.term, undefined)
}

/** A vote is asked of this server (§5.2, §5.4.1). */
export function requestVote(turn: Turn, from: NodeId, request: RequestVote): Turn {
  const { state } = turn
  const isNewTerm = request.term > state.term
  const isFree = isNewTerm || state.vote === undefined || state.vote === from
  const isWilling = !isBlank(state) && !(request.pre && isLoyal(state, from, turn.at))
  const granted = isFree && isUpToDate(request, state) && isWilling
  const term = request.pre && granted ? request.term : state.term
  const vote: Vote = { type: 'vote', term, pre: request.pre, granted }
  if (request.pre || !granted) return send(turn, from, vote)
  const voted = state.vote === from ? turn : ballot(turn, state.term, from)
  return promise(update(voted, { contact: turn.at }), from, vote)
}

/** An answer to this server's own question arrives. */
export function voted(turn: Turn, from: NodeId, vote: Vote): Turn {
  const { role, term } = turn.state
  switch (role.type) {
    case 'precandidate': {
      if (!vote.pre || (vote.granted && vote.term !== term + 1)) return turn
      return tally(turn, role, from, vote.granted, (won) => campaign(won, false))
    }
    case 'candidate': {
      if (vote.pre) return turn
      return tally(turn, role, from, vote.granted, lead)
    }
    case 'follower':
    case 'leader':
      return turn
  }
}

/**
 * Whether this server refuses to unseat a leader that it has heard within the shortest election
 * timeout (thesis §4.2.3). A leader that asks for votes leads no longer.
 */
export function isLoyal(state: State, from: NodeId, at: Millis): boolean {
  const { role, config } = state
  switch (role.type) {
    case 'leader':
      return at - quorumContact(state, role) < config.electionTimeoutMin
    case 'follower':
      // In an earlier life it may have answered a leader's pulse, on which a lease rests.
      if (config.lease > 0 && at - state.bootedAt < config.electionTimeoutMin) return true
      return (
        role.leader !== undefined &&
        role.leader !== from &&
        at - state.contact < config.electionTimeoutMin
      )
    case 'precandidate':
    case 'candidate':
      return false
  }
}

/** Becomes a follower in `term`, of `leader` when it is known. */
export function follow(turn: Turn, term: Term, leader: NodeId | undefined): Turn {
  const { state } = turn
  const { role } = state
  if (term === state.term && role.type === 'follower' && role.leader === leader) return turn
  if (term < state.term) throw new InvariantError(`term ${term} is before term ${state.term}`)
  if (term === state.term && role.type === 'leader' && leader !== undefined) {
    throw new InvariantError(`${leader} and ${state.config.id} both lead in term ${term}`)
  }
  const released = abandonTransfer(abandonChange(abandonReads(turn, leader)))
  const renewed = term > state.term ? ballot(released, term, undefined) : released
  return update(renewed, {
    role: { type: 'follower', leader, asked: [] },
    // A leader that steps down waits a whole timeout before it asks to lead again.
    contact: role.type === 'leader' ? turn.at : state.contact,
    ...(role.type === 'leader' && { held: heldWith(state, role) }),
  })
}

/** What the others are known to hold, for the next time that this server leads. */
const heldWith = ({ commitIndex }: State, { progress }: Leader): State['held'] =>
  new Map(progress.map((follower) => [follower.id, heldBy(follower, commitIndex)]))

/** Whether silence is anything to this server: it would campaign, or give up the leader that it follows. */
export const mindsSilence = (state: State, at: Millis): boolean =>
  state.role.type !== 'leader' && (leaderOf(state) !== undefined || mayCampaign(state, at))

/** Whose disk has stalled cannot even vote for itself. */
const mayCampaign = (state: State, at: Millis): boolean => mayLead(state) && !isStalled(state, at)

/**
 * A voter, also one that the configuration in force sends away: until that is committed, nobody else may have
 * what it takes to lead. It does not count itself then (thesis §4.2.2). A witness has nothing to lead with.
 */
const mayLead = (state: State): boolean =>
  !lacksState(state) &&
  settledThrough(state.configurations, state.commitIndex).some((members) =>
    votes(members, state.config.id),
  )

function precampaign(turn: Turn): Turn {
  const { state } = turn
  const role: PreCandidate = { type: 'precandidate', votes: new Map([[state.config.id, true]]) }
  const asking = update(abandonReads(turn, undefined), { role, contact: turn.at })
  return ask(asking, state.term + 1, 'advance', send)
}

/** Votes for itself and asks the others; both wait until the vote is on disk (§5.2). */
function campaign(turn: Turn, handedOver: boolean): Turn {
  const { id } = turn.state.config
  const term = turn.state.term + 1
  const role: Candidate = { type: 'candidate', votes: new Map() }
  const voting = ballot(update(abandonReads(turn, undefined), { role, contact: turn.at }), term, id)
  const asking = ask(voting, term, handedOver ? 'handedOver' : 'election', promise)
  return promise(asking, id, { type: 'vote', term, pre: false, granted: true })
}

function ask(
  turn: Turn,
  term: Term,
  why: 'advance' | 'election' | 'handedOver',
  say: typeof send,
): Turn {
  const { lastIndex, lastTerm } = turn.state.log
  const request: RequestVote = {
    ...{ type: 'requestVote', term, lastIndex, lastTerm },
    ...{ pre: why === 'advance', handedOver: why === 'handedOver' },
  }
  return peersOf(turn.state).reduce((asking, peer) => say(asking, peer, request), turn)
}

function tally(
  turn: Turn,
  role: PreCandidate | Candidate,
  from: NodeId,
  granted: boolean,
  win: (turn: Turn) => Turn,
): Turn {
  const votes: Votes = new Map(role.votes).set(from, granted)
  const { members, term } = turn.state
  if (isQuorum(members, (id) => votes.get(id) === true)) return win(turn)
  if (!isQuorum(members, (id) => votes.get(id) !== false)) return follow(turn, term, undefined)
  return update(turn, { role: { ...role, votes } })
}

/** Leads: an empty entry of its own term is the first thing to commit (§5.4.2, §8). */
function lead(turn: Turn): Turn {
  const { state, at } = turn
  const { lastIndex } = state.log
  const first = noop(lastIndex + 1, state.term)
  const role: Leader = {
    type: 'leader',
    firstIndex: first.index,
    progress: serversOf(...state.configurations).map((id) =>
      unknownProgress(id, lastIndex + 1, at, state.held.get(id)),
    ),
    round: 0,
    pulse: at,
    pulses: [],
    leaseEnd: -Infinity,
    untold: undefined,
    reads: [],
    changing: undefined,
    transfer: undefined,
    favourite: undefined,
    channels: [],
  }
  return write(update(turn, { role, log: append(state.log, [first]) }), [first])
}

/**
 * Whether it has nothing, and founded nothing. Whoever joins gets a vote when it has caught up, so one that is
 * asked for it all the same may have lost its disk, and with it what it had acknowledged and whom it had voted for.
 */
const isBlank = ({ log, config }: State): boolean =>
  log.lastIndex === 0 && config.members.voters.length === 0

/** Whether a candidate's log is at least as up-to-date as this server's (§5.4.1). */
function isUpToDate(request: RequestVote, { log }: State): boolean {
  if (request.lastTerm !== log.lastTerm) return request.lastTerm > log.lastTerm
  return request.lastIndex >= log.lastIndex
}
