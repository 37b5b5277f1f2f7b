import { describe, expect, it } from 'vitest'
import { Cluster, carrying } from './bench/cluster.ts'

describe('a full disk', () => {
  it('of a leader: it takes in nothing new, and lets another one lead', () => {
    const it = new Cluster('abc')
    it.elect('a')
    it.turn('a', { type: 'space', isShort: true })
    expect(it.propose('a', 'x').answers).toMatchObject([{ type: 'noSpace' }])
    it.settle()
    expect(it.server('a').role).toBe('follower')
    expect(['b', 'c'].filter((id) => it.server(id).role === 'leader')).toHaveLength(1)
  })

  it('of the only one that can lead: reads go on, and writes do when there is room again', () => {
    const it = new Cluster('abc')
    it.elect('a')
    it.turn('a', { type: 'space', isShort: true })
    it.drop(carrying('timeoutNow'))
    const ticket = it.read('a')
    it.settle()
    expect(it.answerTo(ticket)).toBe('readable')
    it.pass(200)
    it.heartbeat('a')
    expect(it.propose('a', 'x').answers).toMatchObject([{ type: 'noSpace' }])
    it.turn('a', { type: 'space', isShort: false })
    expect(it.propose('a', 'y').answers).toMatchObject([{ type: 'accepted' }])
  })

  it('of a follower changes nothing but what it would do as a leader', () => {
    const it = new Cluster('abc')
    it.elect('a')
    it.turn('b', { type: 'space', isShort: true })
    it.propose('a', 'x')
    it.settle()
    it.heartbeat('a')
    it.settle()
    expect(it.committed('b').at(-1)?.text).toBe('x')
    it.turn('b', { type: 'space', isShort: false })
    it.elect('b')
    expect(it.propose('b', 'y').answers).toMatchObject([{ type: 'accepted' }])
  })
})
