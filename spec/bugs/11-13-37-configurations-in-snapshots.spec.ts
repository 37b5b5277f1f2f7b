import { describe, expect, it } from 'vitest'
import { Cluster } from '../lib/bench/cluster.ts'

const led = (snapshotEntries: number): Cluster => {
  const it = new Cluster('abc', { snapshotEntries }, {}, 'd')
  it.elect('a')
  return it
}

/** Some pulses of the leader, with everything that comes of them. */
function goOn(it: Cluster, leader: string, ...cut: string[]): void {
  for (let pulse = 0; pulse < 8; pulse++) {
    it.pass(20)
    it.heartbeat(leader)
    it.settle(...cut)
  }
}

const membersOf = (it: Cluster, id: string) => it.server(id).state.members

describe('a configuration and a snapshot', () => {
  it('an uncommitted one does not survive a snapshot that stands for more [bug 11]', () => {
    const it = led(4)
    it.change('a', { learners: ['d'] })
    it.save('a')
    it.drop()
    expect(membersOf(it, 'a').learners).toEqual(['d'])
    it.elect('b', 'a')
    for (let i = 0; i < 8; i++) it.propose('b', `x${i}`)
    it.settle('a')
    expect(it.server('b').state.log.base.index).toBeGreaterThan(membersOf(it, 'a').index)
    goOn(it, 'b')
    expect(it.server('a').state.snapshot).toBeDefined()
    expect(membersOf(it, 'a')).toEqual(membersOf(it, 'b'))
    expect(membersOf(it, 'a').learners).toEqual([])
  })

  it('a snapshot holds what was committed, and a truncation goes back to that [bug 13][F39][F40]', () => {
    const it = led(1_000)
    it.propose('a', 'x')
    it.settle()
    it.change('a', { learners: ['d'] })
    it.snapshot('a')
    it.settle('b', 'c', 'd')
    expect(it.server('a').state.snapshot?.members.learners).toEqual([])
    it.elect('b', 'a')
    goOn(it, 'b')
    expect(it.server('a').role).toBe('follower')
    expect(membersOf(it, 'a')).toEqual(membersOf(it, 'b'))
    expect(membersOf(it, 'a').learners).toEqual([])
  })

  it('its index stays that of its entry, not that of the snapshot [bug 37]', () => {
    const it = led(4)
    it.change('a', { learners: ['d'] })
    goOn(it, 'a', 'c')
    const { index } = membersOf(it, 'a')
    for (let i = 0; i < 8; i++) it.propose('a', `x${i}`)
    it.settle('c')
    goOn(it, 'a')
    const { snapshot, members } = it.server('c').state
    expect(snapshot!.index).toBeGreaterThan(index)
    expect(members.index).toBe(index)
    expect(snapshot!.members.index).toBe(index)
  })
})
