import type { Mutant } from './mutant.ts'
import { lateMessages } from './settings.ts'

const follower = 'lib/follower.ts'
const leader = 'lib/leader.ts'

/** Defects in how logs become equal and entries committed (§5.3, §5.4.2). */
export const replication: readonly Mutant[] = [
  {
    name: 'commits-earlier-terms',
    known: ['bug 1'],
    defect: 'A leader commits entries of earlier terms by counting who holds them.',
    file: leader,
    find: 'held > commitIndex && termAt(log, held) === term',
    replace: 'held > commitIndex',
  },
  {
    name: 'half-is-a-majority',
    known: ['bug 68'],
    defect: 'Half of an even cluster counts as a majority.',
    file: 'lib/quorum.ts',
    find: '2 * count > values.length',
    replace: '2 * count >= values.length',
    setting: { nodes: 4 },
  },
  {
    name: 'quorum-compared-as-text',
    known: ['bug 9'],
    defect: 'What a majority has reached is found by comparing numbers as text.',
    file: 'lib/quorum.ts',
    find: 'if (other >= value) count++',
    replace: 'if (String(other) >= String(value)) count++',
  },
  {
    name: 'commits-with-one-too-few',
    known: ['bug 9'],
    defect: 'An entry is committed when a majority less one server holds it.',
    file: leader,
    find: 'const held = reachedByQuorum(members, (id) => progressOf(role, id)?.match ?? 0)',
    replace: `const matches = members.voters.map((id) => progressOf(role, id)?.match ?? 0)
  const held = matches.sort((a, b) => b - a)[(matches.length >> 1) - 1]!`,
  },
  {
    name: 'previous-term-unchecked',
    known: ['bug 18', 'bug 19'],
    defect: 'A follower takes entries after any entry at the index before them, whatever its term.',
    file: follower,
    find: 'termAt(log, prevIndex) !== prevTerm',
    replace: 'termAt(log, prevIndex) === undefined',
  },
  {
    name: 'conflicts-kept',
    known: ['bug 36'],
    defect: 'A follower keeps what it has at an index, whatever the leader has there.',
    file: follower,
    find: 'last <= log.base.index || termAt(log, last) === batch.term',
    replace: 'last <= log.lastIndex',
  },
  {
    name: 'old-appends-truncate',
    known: ['bug 19'],
    defect: 'An append whose entries are all there already removes what follows them.',
    file: follower,
    find: 'if (position < 0) return []',
    replace: 'if (position < 0) return batches',
  },
  {
    name: 'commit-unclipped',
    known: ['bug 35', 'F58'],
    defect: 'A follower commits as far as the leader has, beyond what is known to agree.',
    file: follower,
    find: 'Math.min(message.commit, match)',
    replace: 'Math.min(message.commit, appended.state.log.lastIndex)',
  },
  {
    name: 'acknowledges-its-whole-log',
    known: ['bug 35'],
    defect: 'A follower acknowledges everything in its log, beyond what the append has compared.',
    file: follower,
    find: 'const match = last === undefined ? prevIndex : lastIndexOf(last)',
    replace:
      'const match = Math.max(log.lastIndex, last === undefined ? prevIndex : lastIndexOf(last))',
  },
  {
    name: 'deposed-leader-obeyed',
    known: ['F1', 'bug 29'],
    defect: 'A follower takes entries from the leader of an earlier term.',
    file: 'lib/step.ts',
    find: 'if (message.term < term) return correct(turn, from, message)',
    replace: `if (message.term < term) {
    return message.type === 'append' && turn.state.role.type !== 'leader'
      ? follower.appendEntries(turn, from, message)
      : correct(turn, from, message)
  }`,
    setting: lateMessages,
  },
  {
    name: 'stale-acknowledgement-counted',
    known: ['bug 16', 'F1'],
    defect: 'A leader counts an acknowledgement of an earlier term.',
    file: 'lib/step.ts',
    find: 'if (message.term < term) return correct(turn, from, message)',
    replace: `if (message.term < term) {
    return message.type === 'appended'
      ? leader.appended(turn, from, message)
      : correct(turn, from, message)
  }`,
  },
  {
    name: 'counts-the-unheard',
    known: ['bug 16'],
    defect: 'A new leader counts acknowledgements that were not given to it.',
    file: 'lib/progress.ts',
    find: 'match: 0,',
    replace: 'match: next,',
  },
  {
    name: 'never-goes-back',
    known: ['bug 48'],
    defect: 'A leader whose entries are refused sends the same ones again.',
    file: leader,
    find: '{ contact, probing: true, next: Math.max(match, agreed) + 1, inflight: [] }',
    replace: '{ contact, probing: true, next, inflight: [] }',
  },
  {
    name: 'window-never-freed',
    known: ['bug 52'],
    defect: 'Acknowledged messages stay in the window of messages in flight until it is full.',
    file: leader,
    find: 'inflight: progress.probing ? [] : progress.inflight.filter(({ last }) => last > match)',
    replace: 'inflight: progress.inflight',
    setting: { engine: { maxInflightMessages: 8 } },
  },
  {
    name: 'loss-never-noticed',
    known: ['bug 48', 'F1'],
    defect: 'A leader never asks whether what it has sent has arrived.',
    file: leader,
    find: 'if (progress === undefined || progress.inflight.length === 0) return turn',
    replace: 'if (progress === undefined || progress.inflight.length >= 0) return turn',
  },
  {
    name: 'last-commit-untold',
    known: ['bug 48'],
    defect: 'A follower hears of a commit only with later entries.',
    file: follower,
    find: '? commitUpTo(following, commit)',
    replace: '? following',
  },
  {
    name: 'commit-goes-back',
    known: ['bug 30', 'F1'],
    defect: 'A follower takes the commit index of a message that was overtaken.',
    file: follower,
    find: 'index > turn.state.commitIndex ? update(turn, { commitIndex: index }) : turn',
    replace: 'update(turn, { commitIndex: index })',
  },
  {
    name: 'truncated-entries-come-back',
    known: ['bug 14', 'bug 49'],
    defect: 'Entries that were cut off stay in the array behind the log and are appended behind.',
    file: 'lib/log.ts',
    find: 'const isNewest = log.cells.length === log.length',
    replace: 'const isNewest = true',
  },
  {
    name: 'leader-forgets-the-uncommitted',
    known: ['bug 36'],
    defect: 'A new leader cuts its log after the last entry that it knows to be committed.',
    file: 'lib/election.ts',
    find: `function lead(turn: Turn): Turn {
  const { state, at } = turn`,
    replace: `import { truncate } from './log.ts'

function lead(turn: Turn): Turn {
  const { at } = turn
  const state = { ...turn.state, log: truncate(turn.state.log, turn.state.commitIndex) }`,
  },
]
