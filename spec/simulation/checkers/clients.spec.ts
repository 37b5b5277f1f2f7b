import { describe, expect, it } from 'vitest'
import { clientPromises } from '../../../testing/checkers/clientPromises.ts'
import { convergence } from '../../../testing/checkers/convergence.ts'
import { exactlyOnce } from '../../../testing/checkers/exactlyOnce.ts'
import { linearizableHistory } from '../../../testing/checkers/linearizableHistory.ts'
import type { Request } from '../../../testing/checkers/observation.ts'
import { stateMachineSafety } from '../../../testing/checkers/stateMachineSafety.ts'
import * as support from './support.ts'

const { applied, appliedRequests, batchOf, ended, entryOf, failed, follower, healed } = support
const { invoked, judge, leader, ok, returned, started, stopped, turn, unknown, word } = support

const get: Request = { type: 'get', key: 'k' }
const cas: Request = { type: 'cas', key: 'k', expected: 'x', value: 'y' }

describe('state machine safety: one entry at each index (§5.4.3)', () => {
  const applies = (id: string, batches: ReturnType<typeof applied>[], life = 1) =>
    turn(id, { life, applied: batches })
  const first = applied(entryOf(1, '1'))

  it('passes servers and lives that apply the same, in batches cut differently', () => {
    const run = [
      applies('a', [first, applied(batchOf(2, 1, 'x', 'y'))]),
      applies('b', [first]),
      applies('b', [applied(batchOf(2, 1, 'x')), applied(batchOf(3, 1, 'y'))]),
      applies('a', [first, applied(batchOf(2, 1, 'x'))], 2),
    ]
    expect(judge(stateMachineSafety, run)).toEqual([])
  })

  it.each([
    ['another term', [applied(batchOf(2, 2, 'x'))], /applied 2@2/],
    ['other bytes', [applied(batchOf(2, 1, 'y'))], /other bytes/],
    ['to another result', [applied(batchOf(2, 1, 'x'), ['undone'])], /"undone"/],
    [
      'an entry twice [bug 31]',
      [applied(batchOf(2, 1, 'x')), applied(batchOf(2, 1, 'x'))],
      /entry 2 after entry 2/,
    ],
    ['with a gap [bug 30]', [applied(batchOf(3, 1, 'x'))], /entry 3 after entry 1/],
    [
      'a batch with an outcome too few',
      [{ batch: batchOf(2, 1, 'x'), outcomes: [] }],
      /0 outcomes/,
    ],
  ])('catches a server that applies %s', (_, batches, said) => {
    const run = [
      applies('a', [first, applied(batchOf(2, 1, 'x'))]),
      applies('b', [first, ...batches]),
    ]
    expect(judge(stateMachineSafety, run).join()).toMatch(said)
  })

  it('catches a life that does not begin at the first entry', () => {
    const run = [applies('a', [first]), applies('a', [applied(batchOf(2, 1, 'x'))], 2)]
    expect(judge(stateMachineSafety, run)).toHaveLength(1)
  })
})

describe('client promises settle, once and fittingly', () => {
  it('passes a client that asks one thing after the other', () => {
    const run = [
      ...[invoked(1, get, 7), returned(1, { type: 'ok', value: undefined }, 7)],
      ...[invoked(2, cas, 7), invoked(3, word('x'), 8), returned(3, unknown, 8)],
      ...[returned(2, { type: 'ok', swapped: false }, 7), invoked(4, get, 7), healed],
    ]
    expect(judge(clientPromises, [...run, returned(4, failed, 7), ended])).toEqual([])
  })

  it.each([
    ['is never answered', [invoked(1, get), healed, ended]],
    ['is answered twice', [invoked(1, word('x')), returned(1, ok), returned(1, ok)]],
    ['is answered unasked', [returned(1, ok)]],
    [
      'is answered with what another asked',
      [invoked(1, word('x')), invoked(2, word('y')), returned(2, ok, 1)],
    ],
    ['asks twice at once', [invoked(1, get, 7), invoked(2, get, 7)]],
    ['uses a number again', [invoked(1, get), returned(1, ok), invoked(1, get)]],
    ['swaps by reading', [invoked(1, get), returned(1, { type: 'ok', swapped: true })]],
    ['reads by writing', [invoked(1, word('x')), returned(1, { type: 'ok', value: 'x' })]],
    ['does not hear whether it swapped', [invoked(1, cas), returned(1, ok)]],
  ])('catches a client that %s', (_, run) => {
    expect(judge(clientPromises, run)).toHaveLength(1)
  })
})

describe('exactly once: ok is applied once, failed never, unknown at most once', () => {
  const apply = (id: string, index: number, ...requests: Request[]) =>
    turn(id, { applied: [appliedRequests(index, ...requests)] })

  it('passes that, on every server and in every life', () => {
    const run = [
      ...[invoked(1, word('x')), invoked(2, word('y')), invoked(3, word('z')), invoked(4, get)],
      ...[invoked(5, word('w')), apply('a', 1, word('x'), word('y')), returned(1, ok)],
      ...[apply('b', 1, word('x'), word('y')), returned(2, unknown), returned(3, unknown)],
      ...[returned(4, ok), returned(5, failed), ended],
    ]
    expect(judge(exactlyOnce, run)).toEqual([])
  })

  it.each([
    ['ok and never applied', [returned(1, ok), ended]],
    ['ok and applied twice', [apply('a', 1, word('x'), word('x')), returned(1, ok), ended]],
    [
      'unknown and applied twice',
      [returned(1, unknown), apply('a', 1, word('x')), apply('b', 2, word('x'))],
    ],
    ['applied and then failed', [apply('a', 1, word('x')), returned(1, failed)]],
    ['failed and then applied', [returned(1, failed), apply('a', 1, word('x'))]],
    ['never asked for', [apply('a', 1, word('y'))]],
    ['asked for at another key', [apply('a', 1, { type: 'append', key: 'other', value: 'x' })]],
  ])('catches a word that was %s', (_, run) => {
    expect(judge(exactlyOnce, [invoked(1, word('x')), ...run])).not.toEqual([])
  })

  it('counts a word that was asked for twice, on purpose, twice', () => {
    const run = [invoked(1, word('x')), invoked(2, word('x')), apply('a', 1, word('x'), word('x'))]
    expect(judge(exactlyOnce, [...run, returned(1, ok), returned(2, ok), ended])).toEqual([])
    expect(judge(exactlyOnce, [...run, apply('a', 3, word('x'))])).toHaveLength(1)
  })
})

describe('the history of the clients is linearizable, by the order in which it was seen', () => {
  const put: Request = { type: 'put', key: 'k', value: 'x' }
  const read = (value: string | undefined) => ({ type: 'ok', value }) as const

  it('passes a read that was under way, catches one that came after [bug 67]', () => {
    const run = [invoked(1, put), invoked(2, get), returned(1, ok), returned(2, read(undefined))]
    expect(judge(linearizableHistory, [...run, ended])).toEqual([])
    const late = [invoked(1, put), returned(1, ok), invoked(2, get), returned(2, read(undefined))]
    expect(judge(linearizableHistory, [...late, ended])).toEqual([
      expect.stringMatching(/violation on key k: no order explains .*"get"/),
    ])
  })

  it('takes an operation that was never answered as one that may have happened', () => {
    const run = [invoked(1, put), invoked(2, get), returned(2, read('x')), ended]
    expect(judge(linearizableHistory, run)).toEqual([])
  })
})

describe('convergence: when the faults are over the cluster heals', () => {
  const lead = turn('a', {
    term: 2,
    role: leader,
    commitIndex: 1,
    applied: [applied(entryOf(1, '1'))],
  })
  const follow = (id: string, of: string | undefined, ...entries: string[]) =>
    turn(id, {
      term: 2,
      role: follower(of),
      applied: entries.map((it, i) => applied(entryOf(i + 1, it))),
    })
  const begin = [started('a'), started('b'), started('c')]

  it('passes one leader that all servers follow, with one history; a server that is down is no matter', () => {
    const run = [...begin, lead, follow('b', 'a', '1'), stopped('c'), healed]
    const served = [invoked(1, get), returned(1, { type: 'ok', value: undefined }), ended]
    expect(judge(convergence, [...run, ...served])).toEqual([])
  })

  it.each([
    ['nobody leads', [stopped('a'), follow('b', 'a', '1')], /0 servers lead/],
    ['nobody runs', [stopped('a'), stopped('b')], /0 servers lead/],
    [
      'two lead',
      [turn('b', { role: leader, applied: [applied(entryOf(1, '1'))] })],
      /2 servers lead/,
    ],
    ['one follows nobody', [follow('b', undefined, '1')], /b follows nobody/],
    ['one has said nothing since its restart', [stopped('b'), started('b', 2)], /b follows nobody/],
    ['one has applied less', [follow('b', 'a')], /b has applied 0/],
    ['one has applied another entry', [follow('b', 'a', '1:x')], /different entries/],
    [
      'no operation is done',
      [follow('b', 'a', '1'), healed, invoked(1, get), returned(1, failed)],
      /no operation/,
    ],
    [
      'a commit is not applied',
      [turn('b', { role: follower('a'), commitIndex: 5, applied: [applied(entryOf(1, '1'))] })],
      /only 1 of 5/,
    ],
  ])('catches a cluster in which %s', (_, run, said) => {
    const seen = [...begin, stopped('c'), lead, ...run, healed, ended]
    expect(judge(convergence, seen).join()).toMatch(said)
  })

  it('says nothing of a run whose faults never ended', () => {
    expect(judge(convergence, [...begin, ended])).toEqual([])
  })
})
