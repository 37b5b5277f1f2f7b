import type { Mutant } from './mutant.ts'

const step = 'lib/step.ts'
const turn = 'lib/turn.ts'

/** Defects in what is on disk before it is promised, and in what a restart makes of it (§5.2, §5.5). */
export const durability: readonly Mutant[] = [
  {
    name: 'vote-before-its-save',
    known: ['bug 5', 'bug 6'],
    defect: 'A vote leaves before it is on disk.',
    file: 'lib/election.ts',
    find: 'return promise(update(voted, { contact: turn.at }), from, vote)',
    replace: 'return send(update(voted, { contact: turn.at }), from, vote)',
  },
  {
    name: 'vote-only-in-memory',
    known: ['bug 6', 'bug 69'],
    defect: 'A vote in a term that is already on disk is not saved.',
    file: 'lib/election.ts',
    find: 'const voted = state.vote === from ? turn : ballot(turn, state.term, from)',
    replace: `const voted: Turn =
    state.vote === from ? turn : { ...turn, state: { ...state, vote: from } }`,
  },
  {
    name: 'candidacy-before-its-save',
    known: ['bug 6'],
    defect: 'A candidate asks for votes before its term and its own vote are on disk.',
    file: 'lib/election.ts',
    find: "const asking = ask(voting, term, handedOver ? 'handedOver' : 'election', promise)",
    replace: "const asking = ask(voting, term, 'election', send)",
  },
  {
    name: 'ballot-never-saved',
    known: ['bug 7', 'bug 69'],
    defect: 'Term and vote reach the disk only together with entries.',
    file: turn,
    find: 'if (turn.hasNewBallot || reset !== undefined || batches.length > 0)',
    replace: 'if (reset !== undefined || batches.length > 0)',
  },
  {
    name: 'term-lost-on-restart',
    known: ['bug 7'],
    defect: "A restarted server begins in its last entry's term.",
    file: step,
    find: 'const known = { ...read, term, vote }',
    replace: 'const known = { ...read, term: log.lastTerm, vote }',
  },
  {
    name: 'vote-lost-on-restart',
    known: ['bug 4', 'bug 69'],
    defect: 'A restarted server does not remember whom it voted for.',
    file: step,
    find: 'const known = { ...read, term, vote }',
    replace: 'const known = { ...read, term, vote: undefined }',
  },
  {
    name: 'commits-all-on-restart',
    known: ['bug 61'],
    defect: 'A restarted server takes everything in its log for committed.',
    file: step,
    find: 'const known = { ...read, term, vote }',
    replace: 'const known = { ...read, term, vote, commitIndex: log.lastIndex }',
  },
  {
    name: 'leader-ahead-of-its-disk',
    known: ['bug 44', 'F21'],
    defect: 'A leader counts itself for entries that its own disk does not hold yet.',
    file: 'lib/leader.ts',
    find: "return promise(turn, config.id, { type: 'appended', term, match: log.lastIndex })",
    replace: "return appended(turn, config.id, { type: 'appended', term, match: log.lastIndex })",
  },
  {
    name: 'acknowledges-before-its-save',
    known: ['bug 34'],
    defect: 'A follower acknowledges entries that its disk does not hold yet.',
    file: 'lib/follower.ts',
    find: "return promise(committing, from, { type: 'appended', term, match })",
    replace: "return send(committing, from, { type: 'appended', term, match })",
  },
  {
    name: 'acknowledges-repeats-at-once',
    known: ['bug 34'],
    defect: 'A repeated append is acknowledged while the save of its entries is still under way.',
    file: turn,
    find: 'if (last === undefined) return { state, save: undefined,',
    replace: 'if (last !== null) return { state, save: undefined,',
  },
  {
    name: 'first-save-stands-for-all',
    known: ['bug 14', 'bug 15', 'bug 49'],
    defect: 'The acknowledgement of one save releases what waits for later ones.',
    file: turn,
    find: 'promises: oldest.promises }',
    replace: 'promises: [oldest, ...saving].flatMap(({ promises }) => promises) }',
  },
  {
    name: 'old-save-acknowledges-new-entries',
    known: ['bug 14', 'bug 15'],
    defect: 'When a save ends, a follower acknowledges what is in its log by then.',
    file: step,
    find: 'send(said, to, message),',
    replace: `send(
            said,
            to,
            message.type === 'appended'
              ? { ...message, term: said.state.term, match: said.state.log.lastIndex }
              : message,
          ),`,
  },
  {
    name: 'applied-twice',
    known: ['bug 30', 'bug 31'],
    defect: 'The last entry of a commit is applied again with the next one.',
    file: turn,
    find: 'read(log, handedIndex + 1, commitIndex)',
    replace: 'read(log, Math.max(log.base.index + 1, handedIndex), commitIndex)',
  },
]
