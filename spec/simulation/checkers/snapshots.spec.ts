import { describe, expect, it } from 'vitest'
import { append, compact, emptyLog } from '../../../lib/log.ts'
import type { Piece } from '../../../lib/turn.ts'
import { committedNeverChanges } from '../../../testing/checkers/committedNeverChanges.ts'
import { convergence } from '../../../testing/checkers/convergence.ts'
import { durableCommit } from '../../../testing/checkers/durableCommit.ts'
import { leaderAppendOnly } from '../../../testing/checkers/leaderAppendOnly.ts'
import { leaderCompleteness } from '../../../testing/checkers/leaderCompleteness.ts'
import { logMatching } from '../../../testing/checkers/logMatching.ts'
import type { Observation } from '../../../testing/checkers/observation.ts'
import { promises } from '../../../testing/checkers/promises.ts'
import { sameSnapshots } from '../../../testing/checkers/sameSnapshots.ts'
import { snapshotsStand } from '../../../testing/checkers/snapshotsStand.ts'
import { stateMachineSafety } from '../../../testing/checkers/stateMachineSafety.ts'
import { stateOfPrefix } from '../../../testing/checkers/stateOfPrefix.ts'
import {
  applied,
  appliedRequests,
  batchOf,
  disk,
  ended,
  entryOf,
  follower,
  healed,
  invoked,
  judge,
  leader,
  logOf,
  markOf,
  ok,
  returned,
  snapshotDisk,
  started,
  turn,
  wiped,
  word,
} from './support.ts'

const log = logOf('1', '1:x', '2:y', '2:z')

/** The log without its first entries. */
const short = (through: number) => compact(log, through)

/** A log with nothing but entries behind a snapshot. */
const behind = (index: number, term: number, ...entries: string[]) =>
  append(
    emptyLog({ index, term }),
    entries.map((entry, i) => entryOf(index + 1 + i, entry)),
  )

/** The last piece of a snapshot becomes the state. */
const restores = (index: number, term = 1): Piece => ({
  ...{ mark: markOf(index, term), offset: 0, bytes: new Uint8Array(), isLast: true },
})

describe('snapshots stand for what is committed (§7)', () => {
  const commits = turn('a', { term: 2, commitIndex: 3, log })
  const has = (id: string, index: number, term: number, of = log) =>
    turn(id, { term: 2, log: of, commitIndex: 3, snapshot: markOf(index, term) })

  it('passes one that is durable before it counts, and a log that is shortened after that', () => {
    const run = [commits, snapshotDisk('a', 2, 1), has('a', 2, 1), has('a', 2, 1, short(2))]
    const other = [snapshotDisk('b', 3, 2), has('b', 3, 2, behind(3, 2))]
    expect(judge(snapshotsStand, [...run, ...other])).toEqual([])
  })

  const forgets = (before: number): Observation =>
    turn('a', { term: 2, log, commitIndex: 3, disk: [{ type: 'forget', before }] })

  it.each<[string, Observation[]]>([
    ['stands for what nobody has committed', [snapshotDisk('a', 4, 2)]],
    ['stands for another entry', [snapshotDisk('a', 3, 1)]],
    ['is older than the one before', [snapshotDisk('a', 3, 2), snapshotDisk('a', 2, 1)]],
    ['is gone', [snapshotDisk('a', 3, 2), disk('a', 1, undefined)]],
    ['counts before it is durable', [has('a', 2, 1)]],
    ['falls in memory', [snapshotDisk('a', 3, 2), has('a', 3, 2), has('a', 2, 1)]],
    ['does not meet its log', [snapshotDisk('a', 3, 2), has('a', 3, 2, logOf('1', '1', '1', '1'))]],
    [
      'does not cover what the log has dropped',
      [snapshotDisk('a', 2, 1), has('a', 2, 1, short(3))],
    ],
    ['does not cover what the disk forgets', [snapshotDisk('a', 2, 1), forgets(4)]],
  ])('catches one that %s', (_, run) => {
    expect(judge(snapshotsStand, [commits, ...run]).length).toBeGreaterThan(0)
  })

  it('lets the disk forget what its snapshot stands for, and excuses one that was wiped', () => {
    const run = [commits, snapshotDisk('a', 2, 1), forgets(3), wiped('a'), disk('a', 0, undefined)]
    expect(judge(snapshotsStand, run)).toEqual([])
  })
})

describe('a snapshot is, byte for byte, what a state machine gave', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  const gives = (id: string, index: number, ...texts: string[]): Observation =>
    turn(id, {
      events: texts.map((text, i) => ({
        ...{ type: 'captured', at: 0, index, term: 1, bytes: bytes(text) },
        offset: texts.slice(0, i).join('').length,
        isLast: i === texts.length - 1,
      })),
    })

  it('passes its own and one that was installed', () => {
    const run = [gives('a', 3, 'ab', 'c'), snapshotDisk('a', 3, 1, 'abc')]
    expect(judge(sameSnapshots, [...run, snapshotDisk('b', 3, 1, 'abc')])).toEqual([])
  })

  it.each<[string, Observation[]]>([
    ['a byte is another', [gives('a', 3, 'ab', 'c'), snapshotDisk('b', 3, 1, 'abd')]],
    ['a byte is missing', [gives('a', 3, 'ab', 'c'), snapshotDisk('b', 3, 1, 'ab')]],
    ['stands for another entry', [gives('a', 3, 'abc'), snapshotDisk('b', 2, 1, 'abc')]],
    [
      'not all had been given',
      [gives('a', 3, 'abc'), gives('a', 4, 'abcd'), snapshotDisk('b', 4, 1, 'abc')],
    ],
  ])('catches one of which %s', (_, run) => {
    expect(judge(sameSnapshots, run)).toHaveLength(1)
  })
})

describe('a snapshot is the state of its prefix (§7)', () => {
  const put = (value: string) => ({ type: 'put', key: 'p', value }) as const
  const cas = (expected: string | undefined, value: string) =>
    ({ type: 'cas', key: 'c', expected, value }) as const
  const requests = [word('x'), put('1'), cas('no', '1'), cas(undefined, '1'), word('y'), put('2')]
  const run = [turn('a', { applied: [appliedRequests(1, ...requests)] })]
  const state = (index: number, ...contents: [string, string][]): Observation => ({
    ...{ type: 'state', at: 0, id: 'b', life: 1, index, contents: new Map(contents) },
  })

  it('passes the state after any entry, however late it is told', () => {
    const first: [string, string][] = [
      ['k', 'x'],
      ['p', '1'],
    ]
    const last: [string, string][] = [
      ['k', 'xy'],
      ['p', '2'],
      ['c', '1'],
    ]
    const states = [state(0), state(1, ['k', 'x']), state(3, ...first), state(6, ...last)]
    expect(judge(stateOfPrefix, [...run, ...states])).toEqual([])
  })

  it.each<[string, Observation]>([
    ['lacks a key', state(2, ['k', 'x'])],
    ['has a value of later', state(2, ['k', 'xy'], ['p', '1'])],
    ['has a word twice', state(2, ['k', 'xx'], ['p', '1'])],
    ['has a key of nobody', state(1, ['k', 'x'], ['q', '1'])],
  ])('catches one that %s', (_, seen) => {
    expect(judge(stateOfPrefix, [...run, seen])).toHaveLength(1)
  })
})

describe('the state machine goes on behind a snapshot (§5.4.3)', () => {
  const first = applied(batchOf(1, 1, 'x', 'y', 'z'))
  const run = [turn('a', { applied: [first] }), turn('b', { restore: restores(3) })]
  const next = (index: number) => turn('b', { applied: [applied(batchOf(index, 1, 'w'))] })

  it('with the entry after it', () => {
    expect(judge(stateMachineSafety, [...run, next(4)])).toEqual([])
  })

  it('and what waited to be applied has come to nothing, or to what it came to everywhere', () => {
    const skipped = { batch: batchOf(2, 1, 'y', 'z'), outcomes: [] }
    const late = applied(batchOf(1, 1, 'x'))
    const stale = turn('b', { applied: [late, skipped] })
    expect(judge(stateMachineSafety, [...run, stale, next(4)])).toEqual([])
    const other = turn('b', { applied: [applied(batchOf(1, 1, 'w'))] })
    expect(judge(stateMachineSafety, [...run, other])).toHaveLength(1)
  })

  it.each([2, 5])('but not with entry %i', (index) => {
    const said = judge(stateMachineSafety, [...run, next(index)])
    expect(said.join()).toMatch(index === 5 ? /applied entry 5 after entry 3/ : /other bytes/)
  })

  it('which is never older than the state', () => {
    const older = turn('a', { restore: restores(2) })
    expect(judge(stateMachineSafety, [...run, older])).toHaveLength(1)
  })

  it('and not with outcomes missing', () => {
    const silent = turn('b', { applied: [{ batch: batchOf(4, 1, 'w'), outcomes: [] }] })
    expect(judge(stateMachineSafety, [...run, silent])).toHaveLength(1)
  })
})

describe('logs that begin later', () => {
  it('match the others by what they still have (§5.3)', () => {
    const whole = turn('a', { log })
    expect(judge(logMatching, [whole, turn('b', { log: short(2) })])).toEqual([])
    expect(judge(logMatching, [whole, turn('b', { log: behind(3, 2, '2:z') })])).toEqual([])
    expect(judge(logMatching, [whole, turn('b', { log: behind(3, 2, '2:w') })])).toHaveLength(1)
    expect(judge(logMatching, [whole, turn('b', { log: behind(3, 1, '2:z') })])).toHaveLength(1)
  })

  it('may be shortened by a leader, but only in front (§5.3)', () => {
    const leads = (now = log) => turn('a', { term: 2, role: leader, log: now })
    expect(judge(leaderAppendOnly, [leads(), leads(short(2)), leads(short(4))])).toEqual([])
    const cut = { ...short(2), length: 1, lastIndex: 3 }
    expect(judge(leaderAppendOnly, [leads(), leads(short(2)), leads(cut)])).toHaveLength(1)
    expect(judge(leaderAppendOnly, [leads(), leads(behind(2, 1, '2:w', '2:z'))])).toHaveLength(1)
  })

  it('hold what their snapshot stands for (§5.4)', () => {
    const run = [turn('a', { term: 2, commitIndex: 3, log })]
    const elect = (of: typeof log) => turn('b', { term: 3, role: leader, log: of })
    expect(judge(leaderCompleteness, [...run, elect(short(3))])).toEqual([])
    expect(judge(leaderCompleteness, [...run, elect(behind(3, 2))])).toEqual([])
    expect(judge(leaderCompleteness, [...run, elect(behind(2, 1))])).toHaveLength(1)
    expect(judge(leaderCompleteness, [...run, elect(behind(3, 1))])).toHaveLength(1)
  })

  it('do not change what is committed behind the snapshot (§5.4)', () => {
    const run = [turn('a', { commitIndex: 4, log })]
    const commits = (of: typeof log) => turn('b', { commitIndex: 4, log: of })
    expect(judge(committedNeverChanges, [...run, commits(short(3))])).toEqual([])
    expect(judge(committedNeverChanges, [...run, commits(behind(3, 2, '2:w'))])).toHaveLength(1)
  })
})

describe('a snapshot on a disk', () => {
  it('counts for every entry that it stands for, and no other (§5.3)', () => {
    const commits = (index: number) => turn('a', { term: 2, commitIndex: index, log })
    const disks = [disk('a', 2, 'a', '1', '1:x', '2:y', '2:z'), snapshotDisk('b', 3, 2)]
    expect(judge(durableCommit, [...disks, commits(3)])).toEqual([])
    expect(judge(durableCommit, [...disks, commits(4)])).toHaveLength(1)
    expect(judge(durableCommit, [disks[0]!, snapshotDisk('b', 3, 1), commits(3)])).toHaveLength(1)
  })

  it('is what the acknowledgement of a snapshot promises', () => {
    const says = [['a', { type: 'appended', term: 1, match: 3 }]] as const
    const acknowledges = turn('b', { term: 1, says })
    expect(judge(promises, [snapshotDisk('b', 3, 1), acknowledges])).toEqual([])
    expect(judge(promises, [snapshotDisk('b', 2, 1), acknowledges])).toHaveLength(1)
  })
})

describe('servers converge, one by a snapshot', () => {
  const all = applied(batchOf(1, 1, 'x', 'y', 'z'))
  const leads = turn('a', { role: leader, commitIndex: 3, applied: [all] })
  const restored = (index: number, ...more: ReturnType<typeof applied>[]) => [
    turn('b', { role: follower('a'), restore: restores(index) }),
    ...(more.length > 0 ? [turn('b', { role: follower('a'), applied: more })] : []),
  ]
  const ends = (...run: readonly Observation[]) =>
    judge(convergence, [
      ...[started('a'), started('b'), leads],
      ...[healed, invoked(1, word('w')), returned(1, ok)],
      ...run,
      ended,
    ])

  it('when nothing is missing behind it', () => {
    expect(ends(...restored(3))).toEqual([])
    expect(ends(...restored(2, applied(batchOf(3, 1, 'z'))))).toEqual([])
  })

  it('but not when something is, or is another', () => {
    expect(ends(...restored(2))).toHaveLength(1)
    expect(ends(...restored(2, applied(batchOf(3, 1, 'w'))))).toHaveLength(1)
  })
})
