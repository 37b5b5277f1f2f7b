import { describe, expect, test } from 'vitest'
import { linearizable } from '../../testing/checkers/linearizability.ts'
import { bites } from './faults/index.ts'
import { packets } from './firewall.ts'
import { History } from './history.ts'
import { kinds } from './kinds.ts'
import { Leaders } from './leaders.ts'
import { Memberships } from './memberships.ts'
import { without } from './means.ts'
import { line, report } from './report.ts'
import { count, emptyTally, sum } from './tally.ts'
import { exitCodes, judge, worst, type Evidence } from './verdict.ts'

const clean: Evidence = {
  problems: [],
  doubts: [],
  operations: 20,
  acknowledged: 12,
  replayed: 1,
  bounded: 4,
  expired: 5,
  witnesses: 1,
  leaderChanges: 3,
  memberChanges: 2,
}

describe('the verdict', () => {
  test.each([
    ['clean', {}],
    ['wrong', { problems: ['a lost a write'] }],
    ['wrong', { problems: ['a lost a write'], leaderChanges: 0 }],
    ['not tested', { leaderChanges: 0 }],
    ['not tested', { acknowledged: 0 }],
    ['not tested', { doubts: ['too wide'] }],
  ] as const)('is %s for %j', (verdict, found) =>
    expect(judge({ ...clean, ...found })).toBe(verdict),
  )

  test('on several runs is the worst', () => {
    expect(worst(['clean', 'clean'])).toBe('clean')
    expect(worst(['clean', 'not tested'])).toBe('not tested')
    expect(worst(['not tested', 'wrong', 'clean'])).toBe('wrong')
    expect(worst([])).toBe('not tested')
  })

  test('is told by the exit code', () => {
    expect(exitCodes).toEqual({ clean: 0, wrong: 1, 'not tested': 2 })
  })
})

describe('the history', () => {
  const put = (value: string) => ({ type: 'put', key: 'k', value }) as const
  const get = { type: 'get', key: 'k' } as const

  test('of a stale read is found wrong', async () => {
    const history = new History()
    await history.record(1, put('x'), () => answered({ type: 'ok' }, 2))
    await history.record(1, put('y'), () => answered({ type: 'ok' }, 3))
    expect(linearizable(history.operations).type).toBe('linearizable')
    await history.record(2, get, () => answered({ type: 'ok', value: 'x' }))
    expect(linearizable(history.operations)).toMatchObject({ type: 'violation', key: 'k' })
  })

  test('lets a write of unknown outcome happen later, or never', async () => {
    const history = new History()
    await history.record(1, put('x'), () => answered({ type: 'unknown' }))
    await history.record(2, get, () => answered({ type: 'ok', value: undefined }))
    await history.record(2, get, () => answered({ type: 'ok', value: 'x' }))
    expect(linearizable(history.operations).type).toBe('linearizable')
    expect(history.operations[0]!.returned).toBeUndefined()
    expect(history.acknowledged).toBe(2)
  })

  test('keeps what is known of each write', async () => {
    const history = new History()
    await history.record(1, put('x'), () => answered({ type: 'ok' }, 2))
    await history.record(1, put('y'), () => answered({ type: 'failed' }))
    await history.record(1, put('z'), () => answered({ type: 'unknown' }))
    await history.record(1, get, () => answered({ type: 'ok', value: 'x' }))
    expect(history.writes.map(({ outcome }) => outcome)).toEqual([2, 'none', 'unknown'])
  })
})

const answered = <T>(response: T, index?: number) =>
  Promise.resolve(index === undefined ? { response } : { response, index })

describe('who leads', () => {
  const standing = (id: string, role: string, term: number) => ({
    ...{ id, role, term },
    ...{ commitIndex: 0, appliedIndex: 0, clock: 0 },
  })
  const heard = (...standings: ReturnType<typeof standing>[]): Leaders => {
    const leaders = new Leaders()
    for (const it of standings) leaders.heard(it)
    return leaders
  }

  test('changes when somebody leads in a later term', () => {
    const once = heard(standing('a', 'leader', 1), standing('a', 'leader', 1))
    expect([once.current, once.changes]).toEqual(['a', 0])
    const twice = heard(standing('a', 'leader', 1), standing('b', 'leader', 3))
    expect([twice.current, twice.changes, twice.problems]).toEqual(['b', 1, []])
  })

  test('is one server a term', () => {
    const { problems } = heard(standing('a', 'leader', 2), standing('b', 'leader', 2))
    expect(problems).toEqual(['a and b both lead in term 2'])
  })

  test('never forgets a term in which it led', () => {
    const { problems } = heard(
      standing('a', 'leader', 2),
      standing('a', 'follower', 0),
      standing('a', 'follower', 1),
    )
    expect(problems).toEqual(['a went back to term 1: it had led in 2'])
  })

  test('may forget a term in which it followed: its disk may not have had it', () => {
    expect(heard(standing('a', 'follower', 3), standing('a', 'follower', 2)).problems).toEqual([])
  })
})

describe('who is in', () => {
  const said = (index: number, ids: string, committed = true) => ({
    ...{ index, committed },
    members: [...ids].map((id) => ({ id, role: 'voter' })),
  })
  const heard = (...all: readonly (readonly [string, ReturnType<typeof said>])[]): Memberships => {
    const memberships = new Memberships()
    for (const [by, it] of all) memberships.heard(by, it)
    return memberships
  }

  test('is what the newest committed configuration says', () => {
    const { newest, count, problems } = heard(
      ['a', said(0, 'abc')],
      ['d', said(0, '')],
      ['a', said(7, 'abcd')],
      ['b', said(0, 'abc')],
      ['a', said(9, 'bcd', false)],
    )
    expect([newest.index, count, problems]).toEqual([7, 2, []])
  })

  test('is the same for everybody', () => {
    const { problems } = heard(['a', said(7, 'abcd')], ['b', said(7, 'abce')])
    expect(problems).toEqual([
      'a has the members a:voter b:voter c:voter d:voter at 7, b has a:voter b:voter c:voter e:voter',
    ])
  })

  test('is nobody who was removed', () => {
    const twice = heard(['a', said(0, 'abc')], ['a', said(7, 'ab')], ['a', said(9, 'abc')])
    expect(twice.problems).toEqual(['c is in again at 9: it was removed at 7'])
    expect(['a', 'c', 'd'].map((id) => twice.roleOf(id))).toEqual(['voter', 'gone', undefined])
  })
})

describe('the report', () => {
  const tally = count(count(emptyTally(['kill', 'cut']), 'kill', 1), 'cut', 0)

  test('ends with one line that says how often each fault really bit', () => {
    const all = sum(tally, count(emptyTally(['kill']), 'kill', 2))
    expect(JSON.parse(line('clean', [clean, clean], all))).toEqual({
      verdict: 'clean',
      operations: 40,
      acknowledged: 24,
      replayed: 2,
      bounded: 8,
      expired: 10,
      witnesses: 2,
      leaderChanges: 6,
      memberChanges: 4,
      faults: { kill: 2, cut: 0 },
    })
    expect(line('clean', [clean], all)).not.toContain('\n')
  })

  test('shows what is wrong, and what was asked for beside what bit', () => {
    const text = report('3 servers', 'wrong', { ...clean, problems: ['a lost it'] }, tally)
    expect(text).toContain('3 servers: wrong')
    expect(text).toContain('WRONG: a lost it')
    expect(text).toMatch(/cut +0 of +1 bit +0 packets dropped/)
  })

  test('knows what each kind of fault is counted in', () => {
    expect(Object.keys(bites)).toEqual([...kinds])
  })

  test('reads the dropped packets off the list of a chain', () => {
    const list = [
      'Chain nemesis-0 (1 references)',
      '    pkts      bytes target     prot opt in     out     source               destination',
      '      17     1020 DROP       all  --  *      *       198.18.0.11          0.0.0.0/0',
      '       3      180 DROP       all  --  *      *       198.18.0.12          0.0.0.0/0',
    ]
    expect(packets(list.join('\n'))).toBe(20)
  })
})

describe('what is missing', () => {
  const everything = {
    ...{ namespaces: undefined, statistic: undefined, mounts: undefined },
    ...{ faketime: undefined, shim: undefined },
  }

  test('is nothing, where everything is there', () => {
    expect(without(everything)).toEqual({ kinds, missing: [] })
  })

  test('is left out and said, and the rest remains', () => {
    const { kinds: left, missing } = without({ ...everything, namespaces: 'not permitted' })
    expect(kinds.filter((kind) => !left.includes(kind))).toEqual(['cut', 'oneWayCut', 'loss'])
    expect(missing).toEqual(['no cut, oneWayCut, loss: no namespaces (not permitted)'])
    const neither = { ...everything, namespaces: 'not permitted', statistic: 'not permitted' }
    expect(without(neither).missing).toEqual(missing)
  })
})
