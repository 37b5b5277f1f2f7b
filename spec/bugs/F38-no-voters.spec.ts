import { foundingMembers } from '../../lib/members.ts'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../lib/errors.ts'
import { isQuorum, reachedByQuorum } from '../../lib/quorum.ts'
import { raft } from '../../operators/engine/raft.ts'
import { cluster } from '../../testing/index.ts'
import { Server, configOf } from '../lib/bench/server.ts'

const machine = { initial: 0, apply: (n: number) => [n, n] as const }

describe('an empty set of voters', () => {
  it('is refused by name, before anything starts, but for a server that joins others [F38]', () => {
    expect(() => raft({ id: 'a', machine, members: [] })).toThrow(ConfigError)
    expect(() => raft({ id: 'a', machine, members: [] })).toThrow(/since this server joins others/)
    expect(() => cluster({ ids: [], machine })).toThrow(/^ids is \[\]/)
  })

  it('is never a quorum, and reaches nothing [F38]', () => {
    const nobody = foundingMembers([])
    expect(isQuorum(nobody, () => true)).toBe(false)
    expect(reachedByQuorum(nobody, () => 7)).toBe(-Infinity)
  })

  it('elects nobody, though it came to be [F38]', () => {
    const server = new Server(configOf('a', ''))
    server.boot()
    server.now += 10_000
    expect(server.take({ type: 'electionTimeout' })).toMatchObject({ send: [], save: undefined })
    expect(server.role).toBe('follower')
  })
})
