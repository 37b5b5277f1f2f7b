import type { Mutant } from './mutant.ts'
import { deposedLeaders, shortLogs, slowInstalls, tornInstalls } from './settings.ts'

const install = 'lib/install.ts'
const snapshot = 'lib/snapshots.ts'
const application = 'operators/engine/application.ts'

/** Defects in snapshots: taking them, forgetting what they stand for, and installing them (§7). */
export const snapshots: readonly Mutant[] = [
  {
    name: 'compacted-before-durable',
    known: ['bug 27', 'F7'],
    defect: 'The log is shortened once the snapshot is given to the disk, not once it is durable.',
    file: snapshot,
    find: 'return ask(update(turn, { taking: { mark, end, isWhole: isLast } }), {',
    replace: `const given = update(turn, { taking: { mark, end, isWhole: isLast } })
  return ask(isLast ? adopt(given, mark) : given, {`,
  },
  {
    name: 'forgets-the-whole-log',
    known: ['bug 27'],
    defect: 'The disk is told to forget entries that come behind the snapshot.',
    file: snapshot,
    find: 'before: log.base.index + 1',
    replace: 'before: log.lastIndex + 1',
  },
  {
    name: 'snapshot-of-the-present-term',
    known: ['bug 27'],
    defect: 'A snapshot is marked with the term of the server instead of that of its last entry.',
    file: snapshot,
    find: 'taking.mark ?? { index, term, members',
    replace: 'taking.mark ?? { index, term: turn.state.term, members',
  },
  {
    name: 'newer-state-under-an-older-index',
    known: ['bug 62'],
    defect: 'A snapshot is marked with the entry before the last one that is in it.',
    file: 'operators/engine/snapshots.ts',
    find: "type: 'captured', at, ...position, offset",
    replace: "type: 'captured', at, ...position, index: position.index - 1, offset",
  },
  {
    name: 'conflicting-log-kept',
    known: ['bug 12'],
    defect: 'A log that does not hold the last entry of an installed snapshot is kept.',
    file: install,
    find: 'if (termAt(log, mark.index) === mark.term) {',
    replace: 'if (log.lastIndex >= mark.index) {',
    setting: tornInstalls,
  },
  {
    name: 'conflicting-log-restored',
    known: ['bug 12', 'F7'],
    defect: 'After a crash between a snapshot and the reset that it needs, the old log is kept.',
    file: 'lib/step.ts',
    find: 'termAt(log, snapshot.index) === snapshot.term ? log : emptyLog(snapshot)',
    replace: 'log.lastIndex >= snapshot.index ? log : emptyLog(snapshot)',
    setting: tornInstalls,
  },
  {
    name: 'ballot-behind-the-snapshot',
    known: ['bug 7', 'F7'],
    defect: "A restarted server stays in a term before that of its snapshot's last entry.",
    file: 'lib/step.ts',
    find: 'return snapshot.term > term ? ballot(begun, snapshot.term, undefined) : begun',
    replace: 'return begun',
    setting: slowInstalls,
  },
  {
    name: 'entries-before-the-state',
    known: ['bug 30'],
    defect:
      'Entries are handed over while the state machine still takes over the snapshot before them.',
    file: 'lib/turn.ts',
    find: 'if (restoring !== undefined || handedIndex === commitIndex)',
    replace: 'if (handedIndex === commitIndex)',
  },
  {
    name: 'snapshot-acknowledged-early',
    known: ['bug 34', 'bug 60'],
    defect: 'A snapshot is acknowledged when all of it has arrived, before it is durable.',
    file: install,
    find: "return ask(noted, { type: 'writeChunk', mark, offset, bytes, isLast, checksum })",
    replace: `const given = ask(noted, { type: 'writeChunk', mark, offset, bytes, isLast, checksum })
  return isLast ? promise(given, from, { type: 'appended', term, match: index }) : given`,
  },
  {
    name: 'piece-counts-as-the-whole',
    known: ['bug 63'],
    defect: 'A leader takes the acknowledgement of one piece for that of the whole snapshot.',
    file: install,
    find: 'return note(turn, { ...progress, contact: turn.at }, sending)',
    replace:
      'return note(turn, { ...progress, contact: turn.at, match: index, next: index + 1 }, sending)',
  },
  {
    name: 'installed-over-a-newer-state',
    known: ['bug 31'],
    defect: 'An installed snapshot becomes the state although the state is newer.',
    file: install,
    find: 'const isOld = restoring === undefined && mark.index <= handedIndex',
    replace: 'const isOld = false',
    setting: tornInstalls,
  },
  {
    name: 'old-state-shines-through',
    known: ['bug 31'],
    defect: 'The pieces of a snapshot are added to the state that was there before.',
    file: application,
    find: 'if (offset === 0) this.#coming = comingTo(this.machine.initial)',
    replace: 'if (offset === 0) this.#coming = comingTo(this.#state)',
  },
  {
    name: 'half-a-state-is-read',
    known: ['bug 23'],
    defect: 'Questions are answered from a snapshot of which not all has come.',
    file: application,
    find: 'if (!isLast) return',
    replace: '',
    setting: shortLogs,
  },
  {
    name: 'overtaken-as-superseded',
    known: ['bug 50', 'F42'],
    defect: 'A command that a snapshot may hold is reported as one that did not take effect.',
    file: 'operators/engine/proposals.ts',
    find: 'new Overtaken(i)',
    replace: 'new Superseded(i)',
    setting: deposedLeaders,
  },
  {
    name: 'lost-pieces-stay-lost',
    known: ['F4', 'bug 57'],
    defect: 'A piece of a snapshot that is lost on its way is never sent again.',
    file: install,
    find: 'round < sending.round + PULSES',
    replace: 'round >= 0',
  },
  {
    name: 'at-the-edge-of-the-log',
    known: ['bug 47'],
    defect:
      'A follower that needs the last entry that is gone is sent entries instead of the snapshot.',
    file: install,
    find: 'next <= state.log.base.index',
    replace: 'next < state.log.base.index',
  },
  {
    name: 'refused-for-ever',
    known: ['F18'],
    defect: 'A follower whose disk has refused a snapshot does not ask for it again.',
    file: install,
    find: `  const forgotten = update(turn, { receiving: undefined })
  if (receiving.term !== term) return forgotten`,
    replace: `  const forgotten = turn
  if (receiving.term >= 0) return forgotten`,
    setting: shortLogs,
  },
  {
    name: 'bytes-of-an-empty-log',
    known: ['bug 52'],
    defect: 'What waits to be committed is counted in a log of which nothing stayed.',
    file: 'lib/log.ts',
    find: 'if (index >= log.lastIndex || log.length === 0) return 0',
    replace: 'if (index >= log.lastIndex) return 0',
    setting: slowInstalls,
  },
]
