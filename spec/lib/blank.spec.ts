import { describe, expect, it } from 'vitest'
import { Cluster } from './bench/cluster.ts'
import { ask, askAhead, vote, voteAhead } from './bench/messages.ts'
import { follower, messagesOf } from './bench/server.ts'

/** a leads; d has joined a and b, and everybody has everything. */
function joined(): Cluster {
  const cluster = new Cluster('ab', {}, {}, 'd')
  cluster.elect('a')
  cluster.change('a', { voters: ['d'] })
  pulses(cluster)
  expect(cluster.server('d').state.members.voters).toEqual(['a', 'b', 'd'])
  return cluster
}

function pulses(cluster: Cluster, ...cut: string[]): void {
  for (let pulse = 0; pulse < 6; pulse++) {
    cluster.settle(...cut)
    cluster.pass(20)
    cluster.heartbeat('a')
  }
  cluster.settle(...cut)
}

function wipe(cluster: Cluster, id: string): void {
  cluster.crash(id)
  const { disk } = cluster.server(id)
  disk.log = []
  disk.ballot = { term: 0, vote: undefined }
  cluster.restart(id)
}

describe('a server that founded nothing and has nothing', () => {
  it('votes for nobody, in advance or in earnest, though it follows the term', () => {
    const server = follower({ id: 'd', voters: '' })
    expect(messagesOf(server.receive('b', askAhead(4, 3, 2)))).toEqual([voteAhead(0, false)])
    expect(messagesOf(server.receive('b', ask(4, 3, 2)))).toEqual([vote(4, false)])
    expect(server.saveAll()).toEqual([])
    expect(server.state).toMatchObject({ term: 4, vote: undefined })
  })

  it('elects nobody who lacks what it had on the disk that is gone [bug 32][F23]', () => {
    const cluster = joined()
    cluster.propose('a', 'kept')
    pulses(cluster, 'b')
    expect(cluster.committed('a').at(-1)?.text).toBe('kept')
    cluster.crash('a')
    wipe(cluster, 'd')

    for (let i = 0; i < 3; i++) {
      cluster.pass(1_000)
      cluster.timeout('b')
      cluster.settle()
      expect(cluster.server('b').role).not.toBe('leader')
    }
    cluster.restart('a')
    cluster.elect('a')
    pulses(cluster)
    expect(cluster.committed('b').map(({ text }) => text)).toContain('kept')
  })

  it('votes once it has caught up, which it has before anybody needs its vote [F31]', () => {
    const cluster = joined()
    cluster.crash('a')
    cluster.elect('b')
    expect(cluster.server('d').state.vote).toBe('b')
  })
})

describe('a founder that has nothing', () => {
  it('votes: nobody can tell it from one that was wiped', () => {
    const server = follower({ id: 'c' })
    server.receive('b', ask(4, 3, 2))
    expect(server.saveAll()).toEqual([vote(4)])
  })
})
