import type { Mutant } from './mutant.ts'
import { electionStorm, handovers, lateMessages } from './settings.ts'

const file = 'lib/election.ts'

/** Defects in who may lead (§5.2, §5.4.1). */
export const elections: readonly Mutant[] = [
  {
    name: 'votes-twice',
    known: ['bug 8', 'bug 69'],
    defect: 'A server votes for every candidate of a term that asks.',
    file,
    find: 'isNewTerm || state.vote === undefined || state.vote === from',
    replace: 'isNewTerm || true',
  },
  {
    name: 'index-before-term',
    known: ['bug 66'],
    defect: 'The up-to-date check compares the last index first and the last term second.',
    file,
    find: `  if (request.lastTerm !== log.lastTerm) return request.lastTerm > log.lastTerm
  return request.lastIndex >= log.lastIndex`,
    replace: `  if (request.lastIndex !== log.lastIndex) return request.lastIndex > log.lastIndex
  return request.lastTerm >= log.lastTerm`,
  },
  {
    name: 'index-alone',
    known: ['bug 66'],
    defect: 'The up-to-date check compares last indexes and forgets terms.',
    file,
    find: 'if (request.lastTerm !== log.lastTerm) return request.lastTerm > log.lastTerm',
    replace: '',
  },
  {
    name: 'term-alone',
    known: ['bug 10', 'bug 66'],
    defect: 'Of two logs that end in the same term, the shorter one counts as up-to-date too.',
    file,
    find: 'return request.lastIndex >= log.lastIndex',
    replace: 'return true',
  },
  {
    name: 'up-to-date-unchecked',
    known: ['bug 66'],
    defect: 'A vote is granted whatever the candidate has in its log.',
    file,
    find: 'isFree && isUpToDate(request, state)',
    replace: 'isFree',
  },
  {
    name: 'refusals-counted',
    known: ['bug 66'],
    defect: 'The tally counts answers instead of votes.',
    file,
    find: '(id) => votes.get(id) === true',
    replace: '(id) => votes.has(id)',
  },
  {
    name: 'pre-votes-counted',
    known: ['bug 42', 'bug 66'],
    defect: 'A candidate goes on with the tally of its question in advance.',
    file,
    find: "const role: Candidate = { type: 'candidate', votes: new Map() }",
    replace: `const asked = turn.state.role
  const role: Candidate = {
    type: 'candidate',
    votes: asked.type === 'precandidate' ? asked.votes : new Map(),
  }`,
    setting: lateMessages,
  },
  {
    name: 'stale-votes-counted',
    known: ['bug 66', 'F1'],
    defect: 'A vote of an earlier term counts in this one.',
    file: 'lib/step.ts',
    find: 'if (message.term < term) return correct(turn, from, message)',
    replace: `if (message.term < term) {
    return message.type === 'vote' && !message.pre
      ? election.voted(turn, from, message)
      : correct(turn, from, message)
  }`,
    setting: electionStorm,
  },
  {
    name: 'leads-on-in-a-later-term',
    known: ['bug 8'],
    defect: 'A leader that hears of a later term takes the term over and goes on leading.',
    file: 'lib/step.ts',
    find: 'return dispatch(election.follow(turn, message.term, undefined), from, message)',
    replace: `const { state } = turn
  const renewed: Turn =
    state.role.type === 'leader'
      ? { ...turn, state: { ...state, term: message.term, vote: undefined }, hasNewBallot: true }
      : election.follow(turn, message.term, undefined)
  return dispatch(renewed, from, message)`,
  },
  {
    name: 'deaf-to-later-terms',
    known: ['bug 39'],
    defect: 'A leader ignores who is in a later term, and can never win that server back.',
    file: 'lib/step.ts',
    find: 'return dispatch(election.follow(turn, message.term, undefined), from, message)',
    replace: `if (turn.state.role.type === 'leader') return turn
  return dispatch(election.follow(turn, message.term, undefined), from, message)`,
    setting: handovers,
  },
  {
    name: 'refused-in-advance',
    known: ['F2'],
    defect: 'Whoever answers a question in advance is taken to agree.',
    file,
    find: 'return tally(turn, role, from, vote.granted, (won) => campaign(won, false))',
    replace: 'return tally(turn, role, from, true, (won) => campaign(won, false))',
  },
  {
    name: 'nobody-asked-in-advance',
    known: ['F2'],
    defect: 'A server that hears nobody raises its term at once.',
    file,
    find: 'return state.config.preVote && !isAlone ? precampaign(turn) : campaign(turn, false)',
    replace: 'return isAlone && false ? precampaign(turn) : campaign(turn, false)',
  },
  {
    name: 'no-empty-entry',
    known: ['F50'],
    defect: 'A new leader commits nothing until somebody proposes.',
    file,
    find: 'return write(update(turn, { role, log: append(state.log, [first]) }), [first])',
    replace: 'return update(turn, { role })',
  },
  {
    name: 'leads-on-alone',
    known: ['bug 71', 'F2'],
    defect: 'A leader that hears no quorum leads on.',
    file: 'operators/engine/quorumTimer.ts',
    find: "if (role.type !== 'leader' || !config.checkQuorum) return undefined",
    replace: "if (role.type !== 'leader' || config.checkQuorum) return undefined",
  },
  {
    name: 'leads-on-without-a-disk',
    known: ['F21'],
    defect: 'A leader whose disk has stalled leads on.',
    file: 'lib/transfer.ts',
    find: 'return saved < commitIndex ? abdicate(turn, role) : turn',
    replace: 'return saved > commitIndex ? abdicate(turn, role) : turn',
  },
  {
    name: 'one-patience-for-all',
    known: ['bug 53'],
    defect: 'Every server waits equally long before it campaigns.',
    file: 'operators/engine/electionTimer.ts',
    find: 'share = random()',
    replace: 'share = 0.5',
  },
]
