import { describe, expect, test } from 'vitest'
import { kinds } from './kinds.ts'
import { sidesOf } from './nemesis.ts'
import { schedule } from './schedule.ts'

const MINUTES = 5 * 60_000

describe('the schedule of the faults', () => {
  test("is the seed's", () => {
    expect(schedule(1, 3, MINUTES, kinds)).toEqual(schedule(1, 3, MINUTES, kinds))
    expect(schedule(1, 3, MINUTES, kinds)).not.toEqual(schedule(2, 3, MINUTES, kinds))
  })

  test('has every kind, and about as often', () => {
    const events = schedule(1, 3, MINUTES, kinds)
    const counts = kinds.map((kind) => events.filter((event) => event.kind === kind).length)
    expect(Math.min(...counts)).toBeGreaterThan(6)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(4)
  })

  test('is over in time, in order, and no kind meets its own', () => {
    for (let seed = 0; seed < 50; seed++) {
      const events = schedule(seed, 5, 60_000, kinds)
      expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).sort((a, b) => a - b))
      for (const { at, lasts } of events) expect(at + lasts).toBeLessThanOrEqual(60_000)
      for (const kind of kinds) {
        const own = events.filter((event) => event.kind === kind)
        own.slice(1).forEach(({ at }, i) => expect(at).toBeGreaterThanOrEqual(endOf(own[i]!)))
      }
    }
  })

  test('cuts off and breaks a minority only', () => {
    for (const { kind, count } of schedule(3, 5, MINUTES, kinds)) {
      expect(count).toBeGreaterThanOrEqual(1)
      if (['cut', 'oneWayCut', 'failingFsync'].includes(kind)) expect(count).toBeLessThanOrEqual(2)
    }
  })

  test('is empty where nothing can be done', () => {
    expect(schedule(1, 3, MINUTES, [])).toEqual([])
  })
})

const endOf = ({ at, lasts }: { at: number; lasts: number }): number => at + lasts

describe('who is struck', () => {
  const servers = [{ id: 'a' }, { id: 'b' }, { id: 'c' }]
  const drawn = { order: [2, 0, 1], count: 1 }

  test.each([
    ['the leader, when it is aimed at', 'b', true, ['b'], ['c', 'a']],
    ['the first drawn, when it is not', 'b', false, ['c'], ['a', 'b']],
    ['the first drawn, when nobody leads', undefined, true, ['c'], ['a', 'b']],
  ])('%s', (_, leader, atLeader, victims, others) => {
    const sides = sidesOf(servers, leader, { ...drawn, atLeader })
    expect(sides.victims.map(({ id }) => id)).toEqual(victims)
    expect(sides.others.map(({ id }) => id)).toEqual(others)
  })
})
