import { describe, expect, it } from 'vitest'
import { leaderOf } from '../../lib/state.ts'
import { logOf } from './bench/entries.ts'
import { append } from './bench/messages.ts'
import { follower, leader, proposal } from './bench/server.ts'

describe('what stops a server is named:', () => {
  it('an acknowledgement of nothing, or of another save', () => {
    const server = follower({ log: [1] })
    const saved = { type: 'saved', sequence: 2, term: 3 } as const
    const acknowledged = 'the storage acknowledged save 2 of term 3 instead of '
    expect(() => server.take(saved)).toThrow(`${acknowledged}nothing`)
    server.receive('b', append(1, [1, 1], logOf([1], 2)))
    expect(() => server.take(saved)).toThrow(`${acknowledged}save 1 of term 1`)
  })

  it('a disk that speaks twice', () => {
    expect(() => follower().boot()).toThrow('the storage was restored twice')
  })

  it('a disk whose log is ahead of its ballot', () => {
    const text = 'the log has entries of term 3, the ballot is of 2'
    expect(() => follower({ log: [3], term: 2 })).toThrow(text)
  })
})

describe('a server that has just started', () => {
  it('waits for no read, and so has none to give up when it campaigns', () => {
    expect(follower().take({ type: 'electionTimeout' }).answers).toEqual([])
  })
})

describe('a leader', () => {
  it('knows who leads', () => {
    expect(leaderOf(leader().state)).toBe('a')
  })

  it('remembers its last pulse, whatever else it does after it', () => {
    const server = leader()
    const pulse = (server.now += 50)
    server.take({ type: 'heartbeatTimeout' })
    server.now += 10
    server.take(proposal(1, 'x'))
    expect(server.leader.pulse).toBe(pulse)
  })
})
