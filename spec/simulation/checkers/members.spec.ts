import { describe, expect, it } from 'vitest'
import { noop, pack, type Batch } from '../../../lib/batch.ts'
import { append, emptyLog, type Log } from '../../../lib/log.ts'
import { encodeMembers, foundingMembers } from '../../../lib/members.ts'
import type { Answer } from '../../../lib/turn.ts'
import type { Members, Plan } from '../../../lib/types.ts'
import { compareAndSet } from '../../../testing/checkers/compareAndSet.ts'
import { durableCommit } from '../../../testing/checkers/durableCommit.ts'
import { mandate } from '../../../testing/checkers/mandate.ts'
import { membersInForce } from '../../../testing/checkers/membersInForce.ts'
import { membersSucceed } from '../../../testing/checkers/membersSucceed.ts'
import { notMembers } from '../../../testing/checkers/notMembers.ts'
import { disk, judge, leader, turn } from './support.ts'

const founders = foundingMembers(['a', 'b', 'c'])
const [joint, next] = (
  [
    { voters: ['a', 'b', 'd'], outgoing: ['a', 'b', 'c'] },
    { voters: ['a', 'b', 'd'], outgoing: [] },
  ] as const
).map(({ voters, outgoing }, i): Members => ({ ...founders, index: 2 + i, voters, outgoing }))

const entry = (members: Members, term = 1): Batch => ({
  ...{ index: members.index, term, kind: 'members', count: 1 },
  bytes: pack([encodeMembers(members)]),
})

/** An entry of a leader, and configurations behind it. */
const logWith = (...all: readonly Members[]): Log =>
  append(emptyLog(), [noop(1, 1), ...all.map((members) => entry(members))])

const at = (members: Members, told: Parameters<typeof turn>[1]) =>
  turn('a', { term: 1, configurations: [members], members, ...told })

describe('members in force: the last configuration of the log, committed or not (§6)', () => {
  it('passes one that is written, and one that is cut off again', () => {
    const run = [
      at(founders, { log: logWith() }),
      at(joint!, { log: logWith(joint!) }),
      at(founders, { log: logWith() }),
    ]
    expect(judge(membersInForce, run)).toEqual([])
  })

  it.each([
    ['that waits for its commit', [at(founders, { log: logWith(joint!) })]],
    [
      'that stays when its entry is cut off [F39]',
      [at(joint!, { log: logWith(joint!) }), at(joint!, { log: logWith() })],
    ],
    ['before the last one', [at(joint!, { log: logWith(joint!, next!) })]],
  ])('catches one %s', (_, run) => {
    expect(judge(membersInForce, run)).toHaveLength(1)
  })

  it('catches a snapshot with other members than were committed before its end [F40]', () => {
    const log = logWith(joint!, next!)
    const mark = (members: Members) => ({ index: 3, term: 1, members })
    const commits = at(next!, { log, commitIndex: 3 })
    expect(judge(membersInForce, [commits, at(next!, { log, snapshot: mark(next!) })])).toEqual([])
    const wrong = at(next!, { log, snapshot: mark(joint!) })
    expect(judge(membersInForce, [commits, wrong])).toHaveLength(1)
  })
})

describe('members succeed each other: no two without a common majority (§6)', () => {
  const leads = (commitIndex: number, log: Log) =>
    turn('a', { term: 1, role: leader, commitIndex, log })

  it('passes a change by way of a joint configuration, step by step', () => {
    const run = [
      leads(1, logWith()),
      leads(1, logWith(joint!)),
      leads(2, logWith(joint!, next!)),
      turn('b', { term: 1, log: logWith(joint!, next!) }),
    ]
    expect(judge(membersSucceed, run)).toEqual([])
  })

  it.each<[string, readonly [number, Log], RegExp]>([
    ['at once', [2, logWith({ ...next!, index: 2 })], /no server in common/],
    ['before its own first entry is committed [F30]', [0, logWith(joint!)], /before it committed/],
    ['on top of an uncommitted one [F29]', [1, logWith(joint!, next!)], /uncommitted/],
  ])('catches a leader that changes members %s', (_, [commitIndex, log], message) => {
    const said = judge(membersSucceed, [leads(commitIndex, log)])
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(message)
  })
})

describe('who has no vote does not lead (§6)', () => {
  const gone: Members = { ...next!, voters: ['b', 'c', 'd'] }

  it('passes one whose leaving is not committed, and one that follows', () => {
    const log = logWith(joint!, gone)
    expect(judge(notMembers, [at(gone, { log, commitIndex: 2, role: leader })])).toEqual([])
    expect(judge(notMembers, [at(gone, { log, commitIndex: 3 })])).toEqual([])
  })

  it('catches a leader that was sent away, and a candidate that listens only [F33, F35]', () => {
    const log = logWith(joint!, gone)
    expect(judge(notMembers, [at(gone, { log, commitIndex: 3, role: leader })])).toHaveLength(1)
    const candidate = { type: 'candidate', votes: new Map() } as const
    expect(judge(notMembers, [turn('z', { term: 1, role: candidate })])).toHaveLength(1)
  })
})

describe('expected members: compare and set', () => {
  const wants = (expected: number, ...answers: readonly Answer[]) => {
    const plan: Plan = { voters: ['d'], expected }
    return turn('a', { events: [{ type: 'changeWanted', at: 0, ticket: 1, plan }], answers })
  }
  const refused: Answer = { type: 'unchanged', ticket: 1, reason: 'conflict', leader: 'a' }

  it('passes what was expected, and what was refused', () => {
    expect(judge(compareAndSet, [wants(0), wants(7, refused)])).toEqual([])
  })

  it('catches what was not expected and done all the same', () => {
    expect(judge(compareAndSet, [wants(7)])).toHaveLength(1)
    expect(judge(compareAndSet, [wants(7, { type: 'changed', ticket: 1, index: 0 })])).toHaveLength(
      1,
    )
  })
})

describe('joint configurations take two majorities (§6)', () => {
  const split: Members = { ...joint!, voters: ['d', 'e', 'f'] }
  const votes = (...ids: readonly string[]) => ids.map((id) => disk(id, 1, 'a', '1', '1'))
  const leads = at(split, { role: leader, log: logWith(split), commitIndex: 2 })

  it('passes a leader with both', () => {
    const run = [...votes('a', 'b', 'd', 'e'), leads]
    expect(judge(mandate, run)).toEqual([])
    expect(judge(durableCommit, run)).toEqual([])
  })

  it.each([
    ['the old voters alone', ['a', 'b', 'c', 'd']],
    ['the new voters alone', ['a', 'd', 'e', 'f']],
  ])('catches a leader with %s', (_, ids) => {
    const run = [...votes(...ids), leads]
    expect(judge(mandate, run)).toHaveLength(1)
    expect(judge(durableCommit, run)).not.toEqual([])
  })
})
