import { describe, expect, it } from 'vitest'
import { append } from '../../../lib/log.ts'
import { committedNeverChanges } from '../../../testing/checkers/committedNeverChanges.ts'
import { durableCommit } from '../../../testing/checkers/durableCommit.ts'
import { leaderAppendOnly } from '../../../testing/checkers/leaderAppendOnly.ts'
import { leaderCompleteness } from '../../../testing/checkers/leaderCompleteness.ts'
import { logMatching } from '../../../testing/checkers/logMatching.ts'
import { monotone } from '../../../testing/checkers/monotone.ts'
import { batchOf, disk, entryOf, judge, leader, logOf, turn, wiped } from './support.ts'
import { foundingMembers } from '../../../lib/members.ts'

describe('leader append-only: a leader never overwrites or deletes (§5.3)', () => {
  const log = logOf('1', '1:x')
  const leads = (now = log, term = 1) => turn('a', { term, role: leader, log: now })

  it('passes a leader that appends, and one that was a follower in between', () => {
    const longer = append(log, [entryOf(3, '1:y')])
    const run = [leads(), leads(), leads(longer), turn('a', { term: 2, log: logOf('1') })]
    expect(judge(leaderAppendOnly, [...run, leads(log, 3), leads(logOf('1'), 4)])).toEqual([])
  })

  it.each([
    ['deletes its last entry', { ...log, length: 1, lastIndex: 1 }],
    ['overwrites an entry', append({ ...log, length: 1, lastIndex: 1 }, [entryOf(2, '1:z')])],
    ['overwrites its first entry and grows', logOf('1:w', '1:x', '1:y')],
  ])('catches a leader that %s', (_, now) => {
    expect(judge(leaderAppendOnly, [leads(), leads(now)])).toHaveLength(1)
  })
})

describe('log matching: one index and term, one history (§5.3)', () => {
  const has = (id: string, ...entries: string[]) => turn(id, { log: logOf(...entries) })

  it('passes logs that differ only in entries of different terms', () => {
    const run = [has('a', '1', '1:x', '2:y'), has('b', '1', '1:x', '3:z'), has('b', '1', '1:x')]
    expect(judge(logMatching, [...run, has('b', '1', '1:x', '2:y')])).toEqual([])
  })

  it('passes one entry in batches cut differently', () => {
    const whole = append(logOf('1'), [batchOf(2, 1, 'x', 'y')])
    const run = [turn('a', { log: whole }), has('b', '1', '1:x', '1:y')]
    expect(judge(logMatching, run)).toEqual([])
  })

  it.each([
    ['other bytes at the same index and term', [has('a', '1', '1:x'), has('b', '1', '1:y')]],
    ['an empty entry instead of a command', [has('a', '1:'), has('b', '1')]],
    ['another term before the same entry', [has('a', '1', '2', '3:x'), has('b', '1', '1', '3:x')]],
    [
      'a second entry of the batch that differs',
      [
        turn('a', { log: append(logOf(), [batchOf(1, 1, 'x', 'y')]) }),
        turn('b', { log: append(logOf(), [batchOf(1, 1, 'x', 'z')]) }),
      ],
    ],
    [
      'a change in one server after a truncation',
      [has('a', '1', '1:x'), has('a', '1'), has('a', '1', '1:y')],
    ],
    [
      'a difference between two lives',
      [has('a', '1', '1:x'), turn('a', { life: 2, log: logOf('1', '1:y') })],
    ],
  ])('catches %s', (_, run) => {
    expect(judge(logMatching, run)).toHaveLength(1)
  })

  it('looks only at what is new: an append is compared, too', () => {
    const log = logOf('1')
    const run = [turn('a', { log }), turn('a', { log: append(log, [entryOf(2, '1:x')]) })]
    expect(judge(logMatching, [...run, has('b', '1', '1:y')])).toHaveLength(1)
  })
})

describe('leader completeness: later leaders have what is committed (§5.4)', () => {
  const commits = (id: string, term: number, commitIndex: number, ...log: string[]) =>
    turn(id, { term, commitIndex, log: logOf(...log) })
  const leads = (id: string, term: number, ...log: string[]) =>
    turn(id, { term, role: leader, log: logOf(...log) })

  it('passes leaders that have it, and earlier ones that do not', () => {
    const run = [
      leads('a', 1, '1'),
      commits('b', 3, 1, '1', '3:x'),
      leads('b', 3, '1', '3:x'),
      commits('b', 3, 2, '1', '3:x'),
      leads('c', 2, '1', '2'),
      leads('a', 4, '1', '3:x', '4'),
    ]
    expect(judge(leaderCompleteness, run)).toEqual([])
  })

  it.each([
    ['lacks it', [commits('a', 1, 2, '1', '1:x'), leads('b', 2, '1')]],
    ['has another there', [commits('a', 1, 2, '1', '1:x'), leads('b', 3, '1', '2:y', '3')]],
    [
      'was elected before the commit was seen',
      [leads('b', 2, '1', '2'), commits('a', 1, 2, '1', '1:x')],
    ],
  ])('catches a later leader that %s', (_, run) => {
    expect(judge(leaderCompleteness, run)).toEqual([expect.stringMatching(/lacks entry 2@1/)])
  })
})

describe('committed never changes (§5.4)', () => {
  const commits = (id: string, commitIndex: number, log: string[], life = 1) =>
    turn(id, { commitIndex, life, log: logOf(...log) })

  it('passes servers that commit the same in their own time, and change what is not committed', () => {
    const run = [
      commits('a', 1, ['1', '1:x']),
      commits('b', 2, ['1', '2:y']),
      commits('a', 2, ['1', '2:y', '2:z']),
      commits('a', 1, ['1'], 2),
    ]
    expect(judge(committedNeverChanges, run)).toEqual([])
  })

  it.each([
    ['another term', [commits('a', 2, ['1', '1:x']), commits('b', 2, ['1', '2:x'])]],
    ['other bytes', [commits('a', 2, ['1', '1:x']), commits('b', 2, ['1', '1:y'])]],
    ['another before its newest', [commits('a', 2, ['1', '2']), commits('b', 2, ['0', '2'])]],
    ['another in its next life', [commits('a', 2, ['1', '1:x']), commits('a', 2, ['1', '2:x'], 2)]],
    [
      'another behind one that is the same',
      [commits('a', 2, ['1', '1:x']), commits('b', 1, ['1', '2']), commits('b', 2, ['1', '2'])],
    ],
    [
      'what it overwrote afterwards',
      [commits('a', 2, ['1', '1:x']), commits('a', 2, ['1', '2:y'])],
    ],
  ])('catches a server that commits %s', (_, run) => {
    expect(judge(committedNeverChanges, run)).toHaveLength(1)
  })
})

describe('durable commit: on the disks of a majority (§5.3)', () => {
  const commits = (id: string, term: number, commitIndex: number, ...log: string[]) =>
    turn(id, { term, commitIndex, role: leader, log: logOf(...log) })

  it('passes what two of three disks hold, also without the leader', () => {
    const run = [disk('b', 1, 'a', '1', '1:x'), disk('c', 1, 'a', '1', '1:x')]
    expect(judge(durableCommit, [...run, commits('a', 1, 2, '1', '1:x')])).toEqual([])
  })

  it.each([
    ['only its own disk holds [bug 9]', [disk('a', 1, 'a', '1', '1:x'), disk('b', 1, 'a', '1')]],
    ['no disk holds', []],
    [
      'a disk holds in another term [bug 15]',
      [disk('a', 1, 'a', '1', '1:x'), disk('b', 1, 'a', '1', '0:x')],
    ],
    [
      'a disk held and gave up',
      [disk('a', 1, 'a', '1', '1:x'), disk('b', 1, 'a', '1', '1:x'), disk('b', 1, 'a', '1')],
    ],
  ])('catches a commit that %s', (_, disks) => {
    const said = judge(durableCommit, [...disks, commits('a', 1, 2, '1', '1:x')])
    expect(said.at(-1)).toMatch(/committed 2@1, which only the disks of [01] of 3/)
  })

  it('looks at every entry that a commit covers', () => {
    const run = [disk('a', 1, 'a', '1', '1:x'), disk('b', 1, 'a', '0', '1:x')]
    expect(judge(durableCommit, [...run, commits('a', 1, 2, '1', '1:x')])).toHaveLength(1)
  })

  it('catches a follower that commits what nobody has yet', () => {
    const run = [disk('a', 1, 'a', '1'), turn('b', { term: 1, commitIndex: 1, log: logOf('1') })]
    expect(judge(durableCommit, run)).toHaveLength(1)
  })

  it('catches a leader that commits an entry of an earlier term by counting [bug 1] (§5.4.2)', () => {
    const run = [disk('a', 2, 'a', '1'), disk('b', 2, 'a', '1')]
    expect(judge(durableCommit, [...run, commits('a', 2, 1, '1', '2')])).toEqual([
      expect.stringMatching(/by counting 1@1/),
    ])
    const rest = [disk('a', 2, 'a', '1', '2'), disk('b', 2, 'a', '1', '2')]
    expect(judge(durableCommit, [...rest, commits('a', 2, 2, '1', '2')])).toEqual([])
  })

  it('half of four disks is not a majority [bug 68]', () => {
    const members = foundingMembers(['a', 'b', 'c', 'd'])
    const run = [disk('a', 1, 'a', '1'), disk('b', 1, 'a', '1')]
    const commit = turn('a', { term: 1, commitIndex: 1, role: leader, log: logOf('1'), members })
    expect(judge(durableCommit, [...run, commit])).toHaveLength(1)
    expect(judge(durableCommit, [...run, disk('d', 1, 'a', '1'), commit])).toEqual([])
  })

  it('excuses a wiped disk for what it had held, and for nothing more', () => {
    const held = [disk('a', 1, 'a', '1', '1:x'), disk('b', 1, 'a', '1')]
    const run = [...held, wiped('b'), disk('b', 0, undefined)]
    expect(judge(durableCommit, [...run, commits('a', 1, 1, '1', '1:x')])).toEqual([])
    expect(judge(durableCommit, [...run, commits('a', 1, 2, '1', '1:x')])).toHaveLength(1)
  })
})

describe('monotone: term, commit and applied index never go back', () => {
  const log = logOf('1', '1', '2')
  const first = turn('a', { term: 2, commitIndex: 2, appliedIndex: 1, log })

  it('passes what rises, and a new life that begins with its disk', () => {
    const run = [
      disk('a', 2, undefined),
      first,
      turn('a', { term: 3, commitIndex: 3, appliedIndex: 3, log }),
      turn('a', { life: 2, term: 0, booted: false }),
      turn('a', { life: 2, term: 2, log }),
    ]
    expect(judge(monotone, run)).toEqual([])
  })

  it.each([
    ['term', { term: 1, commitIndex: 2, appliedIndex: 1, log: logOf('1', '1') }],
    ['commit index', { term: 2, commitIndex: 1, appliedIndex: 1, log }],
    ['applied index', { term: 2, commitIndex: 2, appliedIndex: 0, log }],
    [
      'applied index beyond the commit index [bug 61]',
      { term: 2, commitIndex: 2, appliedIndex: 3, log },
    ],
    ['commit index beyond the log', { term: 2, commitIndex: 4, appliedIndex: 1, log }],
    [
      'log beyond the term',
      { term: 2, commitIndex: 2, appliedIndex: 1, log: logOf('1', '1', '3') },
    ],
  ])('catches a fall: %s', (_, told) => {
    expect(judge(monotone, [first, turn('a', told)])).toHaveLength(1)
  })

  it('catches a term that goes back on disk, or from the disk to the next life [bug 7]', () => {
    expect(judge(monotone, [disk('a', 2, 'a'), disk('a', 1, 'a')])).toHaveLength(1)
    expect(judge(monotone, [disk('a', 2, 'a'), turn('a', { life: 2, term: 1 })])).toHaveLength(1)
  })

  it('excuses a server whose disk was wiped', () => {
    const run = [disk('a', 2, 'a'), wiped('a'), disk('a', 0, undefined)]
    expect(judge(monotone, [...run, turn('a', { life: 2, term: 0 })])).toEqual([])
  })
})
