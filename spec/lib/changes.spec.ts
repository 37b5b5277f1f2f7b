import { describe, expect, it } from 'vitest'
import type { Plan } from '../../lib/types.ts'
import { Cluster } from './bench/cluster.ts'

const cluster = (voters: string, joiners = ''): Cluster => new Cluster(voters, {}, {}, joiners)

/** Lets a change go on for some pulses of the leader. */
function goOn(it: Cluster, leader: string, ...cut: string[]): void {
  for (let pulse = 0; pulse < 6; pulse++) {
    it.settle(...cut)
    it.pass(20)
    it.heartbeat(leader)
  }
  it.settle(...cut)
}

const membersOf = (it: Cluster, id: string) => {
  const { voters, outgoing, learners } = it.server(id).state.members
  return [voters.join(''), outgoing.join(''), learners.join('')]
}

const reasonOf = (it: Cluster, ticket: number): string | undefined => {
  const answer = it.answers.find((answer) => 'ticket' in answer && answer.ticket === ticket)
  return answer?.type === 'unchanged' ? answer.reason : answer?.type
}

function led(voters: string, joiners = ''): Cluster {
  const it = cluster(voters, joiners)
  it.elect('a')
  return it
}

describe('a change of members', () => {
  it.each<[string, string, string, Plan, string]>([
    ['one server more', 'abc', 'd', { voters: ['d'] }, 'abcd'],
    ['two servers more at once', 'abc', 'de', { voters: ['d', 'e'] }, 'abcde'],
    ['one server less', 'abc', '', { remove: ['b'] }, 'ac'],
    ['all others replaced at once', 'abc', 'de', { voters: ['d', 'e'], remove: ['b', 'c'] }, 'ade'],
    ['from one to three', 'a', 'bc', { voters: ['b', 'c'] }, 'abc'],
    ['from three to one', 'abc', '', { remove: ['b', 'c'] }, 'a'],
  ])('is done: %s (§6) [F28][F31][F41]', (_what, voters, joiners, plan, after) => {
    const it = led(voters, joiners)
    it.propose('a', 'before')
    const ticket = it.change('a', plan)
    goOn(it, 'a')
    expect(reasonOf(it, ticket)).toBe('changed')
    for (const id of after) expect(membersOf(it, id)).toEqual([after, '', ''])
    it.propose('a', 'after')
    goOn(it, 'a')
    for (const id of after) expect(it.committed(id).at(-1)?.text).toBe('after')
  })

  it('makes a learner, who gets the log and is not counted', () => {
    const it = led('ab', 'l')
    const ticket = it.change('a', { learners: ['l'] })
    goOn(it, 'a')
    expect([reasonOf(it, ticket), ...membersOf(it, 'l')]).toEqual(['changed', 'ab', '', 'l'])
    it.propose('a', 'x')
    it.settle('b')
    expect(it.committed('a').at(-1)?.text).not.toBe('x')
    goOn(it, 'a')
    expect(it.committed('l').at(-1)?.text).toBe('x')
    it.pass(1_000)
    it.timeout('l')
    expect(it.server('l').role).toBe('follower')
  })

  it('promotes a learner, and makes a learner of a voter', () => {
    const it = led('abc', 'l')
    it.change('a', { learners: ['l'] })
    goOn(it, 'a')
    it.change('a', { voters: ['l'], learners: ['c'] })
    goOn(it, 'a')
    for (const id of 'abcl') expect(membersOf(it, id)).toEqual(['abl', '', 'c'])
  })

  it('waits for a learner that is silent, although it has everything: with its vote nobody could lead', () => {
    const it = led('a', 'l')
    it.change('a', { learners: ['l'] })
    goOn(it, 'a')
    it.pass(1_000)
    const ticket = it.change('a', { voters: ['l'] })
    goOn(it, 'a', 'l')
    expect(membersOf(it, 'a')).toEqual(['a', '', 'l'])
    goOn(it, 'a')
    expect([reasonOf(it, ticket), ...membersOf(it, 'a')]).toEqual(['changed', 'al', '', ''])
  })

  it('that removes the leader is committed by it, and then it leads no longer (§6) [F33][F34]', () => {
    const it = led('abc')
    const ticket = it.change('a', { remove: ['a'] })
    goOn(it, 'b')
    expect([reasonOf(it, ticket), it.server('a').role]).toEqual(['changed', 'follower'])
    // It has told its successor.
    const next = it.server('b').role === 'leader' ? 'b' : 'c'
    expect(it.server(next).role).toBe('leader')
    expect(membersOf(it, next)).toEqual(['bc', '', ''])
  })

  it('of two servers to one survives a crash before the other learns of it [bug 55]', () => {
    const it = led('ab')
    it.change('a', { remove: ['a'] })
    it.until(() => it.server('a').role !== 'leader')
    it.crash('a')
    it.drop()
    it.pass(1_000)
    it.timeout('b')
    it.settle('a')
    expect(it.server('b').role).toBe('leader')
  })

  it.each([
    ['the old voters', ['d', 'e']],
    ['the new voters', ['b', 'c']],
  ])('is not committed by %s alone while it is joint (§6)', (_who, cut) => {
    const it = led('abc', 'de')
    it.change('a', { voters: ['d', 'e'], remove: ['b', 'c'] })
    it.until(() => it.server('a').state.members.outgoing.length > 0)
    const joint = it.server('a').state.members.index
    it.settle(...cut)
    expect(it.commitIndex('a')).toBeLessThan(joint)
    it.heartbeat('a')
    goOn(it, 'a')
    expect(membersOf(it, 'a')).toEqual(['ade', '', ''])
  })

  it('is in force when it is written, and taken back when its entry is [bug 3][bug 42][bug 70]', () => {
    const it = led('abc', 'd')
    it.change('a', { learners: ['d'] })
    expect(membersOf(it, 'a')).toEqual(['abc', '', 'd'])
    it.save('a')
    it.drop()
    it.elect('b', 'a')
    it.heartbeat('b')
    goOn(it, 'b')
    expect(membersOf(it, 'a')).toEqual(['abc', '', ''])
    expect(it.server('a').role).toBe('follower')
  })

  it('is refused before an entry of the leader’s own term is committed [bug 2][F30]', () => {
    const it = cluster('abc', 'd')
    it.lead('a')
    expect(reasonOf(it, it.change('a', { voters: ['d'] }))).toBe('early')
  })

  it('is refused while another one is under way, and when it expects another configuration [F29]', () => {
    const it = led('abc', 'de')
    const first = it.server('a').state.members.index
    expect(reasonOf(it, it.change('a', { voters: ['d'], expected: 7 }))).toBe('conflict')
    const ticket = it.change('a', { voters: ['d'], expected: first })
    expect(reasonOf(it, it.change('a', { voters: ['e'] }))).toBe('busy')
    goOn(it, 'a')
    expect(reasonOf(it, ticket)).toBe('changed')
    expect(reasonOf(it, it.change('a', { voters: ['e'], expected: first }))).toBe('conflict')
  })

  it('is refused to a follower, without voters, and when too few of the new ones are heard [F32]', () => {
    const it = led('abc')
    expect(reasonOf(it, it.change('b', { remove: ['c'] }))).toBe('notLeader')
    expect(reasonOf(it, it.change('a', { remove: ['a', 'b', 'c'] }))).toBe('empty')
    it.pass(500)
    expect(reasonOf(it, it.change('a', { remove: ['c'] }))).toBe('quorum')
  })

  it('that changes nothing is done at once', () => {
    const it = led('abc')
    expect(reasonOf(it, it.change('a', { voters: ['b'] }))).toBe('changed')
    expect(it.server('a').state.members.index).toBe(0)
  })

  it('is completed by the next leader, once [bug 54]', () => {
    const it = led('abc', 'd')
    const ticket = it.change('a', { voters: ['d'], remove: ['a'] })
    it.until(() => it.server('b').state.members.outgoing.length > 0)
    it.crash('a')
    it.drop()
    it.elect('b', 'a')
    goOn(it, 'b', 'a')
    it.restart('a')
    goOn(it, 'b')
    expect(reasonOf(it, ticket)).toBeUndefined()
    for (const id of 'bcd') expect(membersOf(it, id)).toEqual(['bcd', '', ''])
    const entries = it.committed('c').filter(({ kind }) => kind === 'members')
    expect(
      entries.map(({ text }) => (JSON.parse(text) as { outgoing: string[] }).outgoing),
    ).toEqual([[], ['a', 'b', 'c'], []])
  })

  it('survives a restart of everybody in the joint state [bug 54]', () => {
    const it = led('abc', 'd')
    it.change('a', { voters: ['d'] })
    it.until(() => it.server('b').disk.log.some(({ text }) => text.includes('"outgoing":["a"')))
    for (const id of 'abcd') it.crash(id)
    it.drop()
    for (const id of 'abcd') it.restart(id)
    expect(membersOf(it, 'b')).toEqual(['abcd', 'abc', ''])
    it.elect('b')
    goOn(it, 'b')
    for (const id of 'abcd') expect(membersOf(it, id)).toEqual(['abcd', '', ''])
  })

  it('gives up a new server that is not heard', () => {
    const it = led('abc', 'd')
    it.crash('d')
    const ticket = it.change('a', { voters: ['d'] })
    for (let pulse = 0; pulse < 120; pulse++) {
      it.settle()
      it.pass(20)
      it.heartbeat('a')
    }
    it.settle()
    expect(reasonOf(it, ticket)).toBe('slow')
    expect(membersOf(it, 'a')).toEqual(['abc', '', 'd'])
  })

  it('ends with the leadership in which it was asked', () => {
    const it = led('abc', 'd')
    const ticket = it.change('a', { voters: ['d'] })
    it.pass(1_000)
    it.turn('a', { type: 'quorumTimeout' })
    expect(reasonOf(it, ticket)).toBe('deposed')
  })
})

describe('a server that is removed', () => {
  it('neither disturbs those who stay, nor counts for them [F35]', () => {
    const it = led('abc')
    it.change('a', { remove: ['c'] })
    goOn(it, 'a', 'c')
    const { term } = it.server('a').state
    it.timeout('c')
    it.settle()
    expect([it.server('a').role, it.server('a').state.term]).toEqual(['leader', term])
    it.propose('a', 'x')
    it.settle('b')
    expect(it.committed('a').at(-1)?.text).not.toBe('x')
  })
})

describe('a learner', () => {
  it('that was promoted and does not know it votes all the same [bug 56]', () => {
    const it = led('ab', 'l')
    it.change('a', { learners: ['l'] })
    goOn(it, 'a')
    it.change('a', { voters: ['l'] })
    it.until(() => it.server('b').state.members.outgoing.length > 0)
    const joint = it.server('a').state.members.index
    it.settle('l')
    expect(it.commitIndex('b')).toBeGreaterThanOrEqual(joint)
    it.crash('a')
    it.drop()
    it.elect('b', 'a')
    expect(it.server('b').role).toBe('leader')
  })
})
