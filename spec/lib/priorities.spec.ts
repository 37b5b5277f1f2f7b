import { describe, expect, it } from 'vitest'
import { decodeMembers, encodeMembers, foundingMembers } from '../../lib/members.ts'
import { isOutranked, priorityOf, withPriorities } from '../../lib/priorities.ts'
import { carrying, Cluster } from './bench/cluster.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (priorities: string): string =>
  `{"index":0,"voters":["a","b"],"outgoing":[],"learners":[],"addresses":{}${priorities}}`

describe('a configuration with priorities', () => {
  const members = withPriorities(foundingMembers(['a', 'b']), { b: 3, a: 0, z: 9 })

  it('tells of its own servers only, and not of 0', () => {
    expect(members.priorities).toEqual({ b: 3 })
    expect([priorityOf(members, 'a'), priorityOf(members, 'b')]).toEqual([0, 3])
    expect([isOutranked(members, 'a'), isOutranked(members, 'b')]).toEqual([true, false])
  })

  it('is written with them, and as ever where there are none', () => {
    expect(new TextDecoder().decode(encodeMembers(members))).toBe(text(',"priorities":{"b":3}'))
    expect(decodeMembers(encodeMembers(members))).toEqual(members)
    const none = withPriorities(members, {})
    expect(new TextDecoder().decode(encodeMembers(none))).toBe(text(''))
    expect(Object.keys(decodeMembers(bytes(text('')))!)).not.toContain('priorities')
  })

  it('puts no witness above anybody: it never leads', () => {
    const some = withPriorities(foundingMembers(['a', 'b', 'c'], {}, ['c']), { b: 3, c: 9 })
    expect([isOutranked(some, 'a'), isOutranked(some, 'b')]).toEqual([true, false])
  })

  it('knows no server by the name of a property that every object has', () => {
    expect(priorityOf(members, 'constructor')).toBe(0)
  })

  it.each([
    '{}',
    '{"a":0}',
    '{"c":1}',
    '{"a":1.5}',
    '{"a":101}',
    '{"a":"1"}',
    '{"a":-1}',
    'null',
    '[1]',
  ])('is none with %s', (priorities) => {
    expect(decodeMembers(bytes(text(`,"priorities":${priorities}`)))).toBeUndefined()
  })
})

/** `a` leads servers that were told of priorities when it began to. */
function led(priorities: Record<string, number>, voters = 'abc', joiners = ''): Cluster {
  const it = new Cluster(voters, {}, {}, joiners)
  it.elect('a')
  it.change('a', { priorities })
  it.settle()
  return it
}

/** So much time passes, a pulse each 50 ms; what concerns `cut` is lost. */
function live(it: Cluster, ms: number, ...cut: readonly string[]): void {
  for (let passed = 0; passed < ms; passed += 50) {
    it.pass(50)
    for (const { id, role } of it.servers) if (role === 'leader') it.heartbeat(id)
    it.settle(...cut)
  }
}

const leader = (it: Cluster): string =>
  it.servers
    .filter(({ role }) => role === 'leader')
    .map(({ id }) => id)
    .join()

/** Ten of the longest election timeouts. */
const STEADY = 2_000

describe('a leader that a voter outranks', () => {
  it('hands over to it when it has kept up for ten election timeouts, and not before', () => {
    const it = led({ b: 1 })
    live(it, STEADY - 100)
    expect(leader(it)).toBe('a')
    live(it, 400)
    expect(leader(it)).toBe('b')
    live(it, 2 * STEADY)
    expect(leader(it)).toBe('b')
  })

  it('prefers the highest priority', () => {
    const it = led({ b: 1, c: 2 })
    live(it, STEADY + 300)
    expect(leader(it)).toBe('c')
  })

  it('leads on when none is higher than its own', () => {
    const it = led({ a: 2, b: 2, c: 1 })
    live(it, 3 * STEADY)
    expect(leader(it)).toBe('a')
    expect(it.server('a').leader.favourite).toBeUndefined()
  })

  it('hands over to no learner, whatever its priority', () => {
    const it = led({}, 'abc', 'l')
    it.change('a', { learners: ['l'], priorities: { l: 9 } })
    it.settle()
    live(it, 3 * STEADY)
    expect(leader(it)).toBe('a')
  })

  it('waits anew for one that was silent in between', () => {
    const it = led({ b: 1 })
    live(it, STEADY - 200)
    live(it, 400, 'b')
    live(it, STEADY - 200)
    expect(leader(it)).toBe('a')
    live(it, 600)
    expect(leader(it)).toBe('b')
  })

  it('waits for one that is heard and does not keep up with what is committed [F21]', () => {
    const it = led({ b: 1 })
    const isDone = (): boolean => it.wire.length === 0
    for (let i = 0; i < 100; i++) {
      it.pass(50)
      if (i % 2 === 0) it.propose('a', `x${i}`)
      it.heartbeat('a')
      for (let round = 0; round < 9; round++) {
        it.deliver()
        for (const id of ['a', 'c']) if (it.server(id).disk.pending.length > 0) it.save(id)
        if (isDone()) break
      }
    }
    expect(leader(it)).toBe('a')
    expect(it.server('a').state.handed).toBeUndefined()
  })

  it('does not hand over again soon to one that could not take it, and writes go on', () => {
    const it = led({ b: 1 })
    let told = 0
    const live200 = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 50) {
        it.pass(50)
        it.heartbeat('a')
        told += it.take(carrying('timeoutNow')).length
        it.settle()
      }
    }
    live200(STEADY + 1_000)
    expect(told).toBe(1)
    expect(it.propose('a', 'x').answers).toMatchObject([{ type: 'accepted' }])
    live200(8 * STEADY)
    expect(told).toBe(1)
    live200(2 * STEADY)
    expect(told).toBe(2)
  })

  it('remembers that also when it leads again', () => {
    const it = led({ b: 1 })
    live(it, STEADY + 300)
    expect(leader(it)).toBe('b')
    it.turn('b', { type: 'quorumTimeout' })
    it.pass(1_000)
    it.turn('b', { type: 'quorumTimeout' })
    it.elect('a')
    live(it, 3 * STEADY)
    expect(leader(it)).toBe('a')
    live(it, 10 * STEADY)
    expect(leader(it)).toBe('b')
  })

  it('finishes a change of members first', () => {
    const it = led({ b: 1 }, 'abc', 'd')
    live(it, STEADY - 200)
    it.change('a', { voters: ['d'] })
    live(it, 800, 'd')
    expect(leader(it)).toBe('a')
    live(it, 400)
    expect(leader(it)).toBe('b')
  })

  it('does not hand over to a server whose disk is full', () => {
    const it = led({ b: 1 })
    it.turn('b', { type: 'space', isShort: true })
    live(it, STEADY + 1_000)
    expect(leader(it)).toBe('a')
    expect(it.server('b').state.term).toBe(1)
  })
})

describe('a change of priorities', () => {
  const priorities = (it: Cluster, id = 'c') => it.server(id).state.members.priorities

  it('is one entry, known to all, and not written twice', () => {
    const it = led({ b: 5, a: 1 })
    expect(priorities(it)).toEqual({ a: 1, b: 5 })
    const { lastIndex } = it.server('a').state.log
    const ticket = it.change('a', { priorities: { b: 5 } })
    expect(it.answerTo(ticket)).toBe('changed')
    expect(it.server('a').state.log.lastIndex).toBe(lastIndex)
    it.change('a', { priorities: { b: 0 } })
    it.settle()
    expect(priorities(it)).toEqual({ a: 1 })
    it.change('a', { priorities: { a: 0 } })
    it.settle()
    expect(it.server('c').state.members).not.toHaveProperty('priorities')
  })

  it('comes with a newcomer, stays through joint configurations, and goes with whoever leaves', () => {
    const it = led({ b: 5 }, 'abc', 'd')
    it.change('a', { voters: ['d'], priorities: { d: 7 } })
    it.settle()
    expect(priorities(it, 'd')).toEqual({ b: 5, d: 7 })
    it.change('a', { remove: ['b'] })
    it.settle()
    expect(priorities(it, 'd')).toEqual({ d: 7 })
  })
})
