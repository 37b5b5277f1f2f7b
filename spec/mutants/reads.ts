import type { Mutant } from './mutant.ts'
import { electionStorm, lateAnswers, twoLeaders } from './settings.ts'

const file = 'lib/reads.ts'

/** Defects in linearizable reads (§8, thesis §6.4). */
export const reads: readonly Mutant[] = [
  {
    name: 'read-without-a-round',
    known: ['bug 20', 'F50'],
    defect: 'A leader reads without asking whether it still leads.',
    file,
    find: 'round !== undefined && round <= answered',
    replace: 'answered >= 0',
    setting: twoLeaders,
  },
  {
    name: 'read-by-one-answer',
    known: ['bug 20', 'bug 67'],
    defect: "A read is released by one follower's answer.",
    file,
    find: `reachedByQuorum(members, (id) =>
    id === config.id ? role.round : (progressOf(role, id)?.round ?? 0),
  )`,
    replace: `Math.max(
    ...members.voters.map((id) => (id === config.id ? 0 : (progressOf(role, id)?.round ?? 0))),
  )`,
    setting: twoLeaders,
  },
  {
    name: 'late-answers-confirm',
    known: ['bug 21', 'F1'],
    defect: 'A late answer to an old pulse counts for the newest one.',
    file: 'lib/leader.ts',
    find: 'round: Math.max(progress.round, last)',
    replace: 'round: role.round',
    setting: { ...electionStorm, nodes: 3 },
  },
  {
    name: 'read-before-the-first-commit',
    known: ['bug 22', 'F50'],
    defect: 'A new leader reads at the commit index of before its election.',
    file,
    find: 'const index = Math.max(turn.state.commitIndex, leader.firstIndex)',
    replace: 'const index = turn.state.commitIndex',
  },
  {
    name: 'read-before-it-is-applied',
    known: ['bug 23'],
    defect: 'A follower reads as soon as its leader has confirmed, whatever it has applied itself.',
    file,
    find: '{ ticket: reply.ticket, index: reply.index }',
    replace: '{ ticket: reply.ticket, index: 0 }',
  },
  {
    name: 'read-for-a-follower-unconfirmed',
    known: ['bug 67', 'bug 20'],
    defect: "A leader confirms a follower's read without asking whether it still leads.",
    file,
    find: 'return isKnown ? turn : note(turn, role, from, message.ticket)',
    replace: `const { term, commitIndex: index } = turn.state
  if (isKnown || index < role.firstIndex) return note(turn, role, from, message.ticket)
  return send(turn, from, { type: 'readIndexReply', term, ticket: message.ticket, index })`,
    setting: twoLeaders,
  },
  {
    name: 'read-by-an-earlier-round',
    known: ['bug 21', 'bug 20'],
    defect: 'A read is released by answers to the pulse before it.',
    file,
    find: 'const read: LeaderRead = { from, ticket, index, round: undefined }',
    replace: 'const read: LeaderRead = { from, ticket, index, round: leader.round }',
  },
  {
    name: 'within-counts-from-the-answer',
    known: ['bug 20', 'F8'],
    defect:
      'How old a state may be counts from when it was confirmed, not from when that was asked for.',
    file: 'operators/engine/questions.ts',
    find: 'this.#confirmed = Math.max(this.#confirmed, at)',
    replace: 'this.#confirmed = Math.max(this.#confirmed, at < 0 ? at : this.clock.now())',
    setting: lateAnswers,
  },
  {
    name: 'at-least-what-is-in-the-log',
    known: ['bug 23'],
    defect: 'A question that waits for an entry is answered once the entry is in the log.',
    file: 'operators/engine/querying.ts',
    find: 'state.appliedIndex >= consistency.atLeast',
    replace: 'state.log.lastIndex >= consistency.atLeast',
  },
]
