import { describe, expect, it } from 'vitest'
import { noop } from '../../lib/batch.ts'
import { DiskLost } from '../../lib/errors.ts'
import { booting } from '../../lib/state.ts'
import { reduce } from '../../lib/step.ts'
import type { Term } from '../../lib/types.ts'
import { carrying, Cluster } from './bench/cluster.ts'
import { entriesOf, logOf } from './bench/entries.ts'
import { append, heartbeat } from './bench/messages.ts'
import { configOf, follower, leader } from './bench/server.ts'

/** `id` restarts from a disk that has lost, or brought back, what it had called durable. */
function restartWith(cluster: Cluster, id: string, terms: readonly Term[]): void {
  cluster.crash(id)
  const { disk } = cluster.server(id)
  disk.log = entriesOf(logOf(terms))
  if (terms.length === 0) disk.ballot = { term: 0, vote: undefined }
  cluster.restart(id)
}

/** a leads in term 2, and everybody has acknowledged, and knows committed, entries 1 to 4. */
function settled(): Cluster {
  const cluster = new Cluster('abc', {}, { a: [1, 1, 1], b: [1, 1, 1], c: [1, 1, 1] })
  cluster.elect('a')
  cluster.heartbeat('a')
  cluster.settle()
  return cluster
}

const lost = (act: () => void): DiskLost => {
  try {
    act()
  } catch (error) {
    if (error instanceof DiskLost) return error
    throw error
  }
  throw new Error('nobody has noticed')
}

describe('a log whose last record was torn', () => {
  it.each([
    [true, 'rejected'],
    [false, 'DiskLost'],
  ])('is sent it again, as no other is: %s', (isTorn, said) => {
    const batches = [noop(1, 1), noop(2, 1)]
    const restored = { type: 'restored', at: 0, term: 1, vote: undefined, batches, isTorn } as const
    const { state } = reduce(booting(configOf('a', 'abc')), [restored])
    const envelope = { from: 'b', to: 'a', message: heartbeat(1, 3, 1, 1) }
    const receive = () => reduce(state, [{ type: 'received', at: 1, envelope }]).send
    if (isTorn) expect(receive().map(({ message }) => message.type)).toContain(said)
    else expect(receive).toThrow(DiskLost)
  })
})

describe('a disk that has not what its server acknowledged', () => {
  it.each([
    ['is empty', []],
    ['is an old copy', [1]],
    ['lacks the last write alone', [1, 1, 1]],
    ['has something else', [1, 1, 1, 1]],
  ])(
    '%s: the next pulse stops the server, with the remedy [bug 32][bug 34][F23][F24]',
    (_, terms) => {
      const cluster = settled()
      restartWith(cluster, 'b', terms)
      cluster.heartbeat('a')
      const error = lost(() => cluster.settle())
      expect(error).toMatchObject({
        ...{ code: 'disk-lost', id: 'b', index: 4, lastIndex: terms.length },
        message: expect.stringMatching(/Remove b from the members.* under another id/) as string,
      })
    },
  )

  it('is found out by an append too, before anything is sent that would hide it [F24]', () => {
    const cluster = settled()
    restartWith(cluster, 'b', [1])
    cluster.propose('a', 'x')
    const { index } = lost(() => cluster.settle())
    expect(index).toBeGreaterThanOrEqual(4)
  })

  it('is found out when the leader has forgotten the entry itself, behind its snapshot [F23]', () => {
    const server = follower({ log: [1], term: 2 })
    expect(lost(() => server.receive('b', heartbeat(2, 3, 1, 0)))).toMatchObject({ index: 3 })
  })

  it('is found out by a leader that leads again, about what was acknowledged to it before [F24]', () => {
    const cluster = settled()
    cluster.elect('c', 'b')
    restartWith(cluster, 'b', [])
    cluster.elect('a', 'b')
    // In this term b has acknowledged nothing.
    expect(cluster.server('a').progress('b')).toMatchObject({ match: 0, held: 4 })
    cluster.heartbeat('a')
    expect(lost(() => cluster.settle())).toMatchObject({ id: 'b', index: 4, lastIndex: 0 })
  })
})

describe('a disk that keeps its promises', () => {
  it('is not suspected for a refusal that comes late', () => {
    const server = leader({ log: [1, 1] })
    server.receive('b', { type: 'appended', term: 2, match: 3 })
    const refusal = { type: 'rejected', term: 2, prevIndex: 3, hintIndex: 1, hintTerm: 1 } as const
    const { send } = server.receive('b', refusal)
    // First the question, then what it seems to lack.
    expect(send).toMatchObject([
      { to: 'b', message: { type: 'heartbeat', commit: 3, commitTerm: 2 } },
      { to: 'b', message: { type: 'append', prevIndex: 1, prevTerm: 1 } },
    ])
    expect(server.progress('b')).toMatchObject({ match: 0, held: 3 })
    expect(server.state.commitIndex).toBe(3)

    const honest = follower({ log: [1, 1, 2], term: 2 })
    for (const { message } of send) honest.receive('b', message)
    expect(honest.state.commitIndex).toBe(3)
  })

  it('is not suspected for what it only has not got yet', () => {
    const server = leader({ log: [1, 1] })
    server.receive('b', { type: 'appended', term: 2, match: 2 })
    const refusal = { type: 'rejected', term: 2, prevIndex: 3, hintIndex: 2, hintTerm: 1 } as const
    const types = server.receive('b', refusal).send.map(({ message }) => message.type)
    expect(types).not.toContain('heartbeat')
  })

  it('has the entry whose term the leader has forgotten, and commits nothing by that', () => {
    const server = follower({ log: [1, 1, 1], term: 2 })
    server.receive('b', heartbeat(2, 3, 1, 0))
    expect(server.state.commitIndex).toBe(0)
    server.receive('b', append(2, [3, 1], [], 3))
    expect(server.state.commitIndex).toBe(3)
  })

  it('survives a restart in every moment of a change of leaders', () => {
    for (let moment = 0; moment < 12; moment++) {
      const cluster = settled()
      cluster.timeout('c')
      cluster.settle()
      cluster.timeout('c')
      for (let i = 0; i < moment; i++) cluster.deliver(carrying('append'))
      cluster.crash('b')
      cluster.restart('b')
      cluster.settle()
      cluster.elect('a')
      cluster.heartbeat('a')
      cluster.settle()
      expect(cluster.committed('b')).toEqual(cluster.committed('a'))
    }
  })
})
