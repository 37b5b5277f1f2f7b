import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Append, Message, Rejected } from '../../lib/messages.ts'
import { carrying, Cluster } from './bench/cluster.ts'
import { batchOf, entriesOf } from './bench/entries.ts'
import { append, vote } from './bench/messages.ts'
import {
  candidate,
  follower,
  leader,
  messagesOf,
  proposal,
  received,
  type Server,
} from './bench/server.ts'

const appended = (term: number, match: number) => ({ type: 'appended', term, match }) as const
const rejected = (term: number, prevIndex: number, hint: readonly [number, number]): Rejected => ({
  type: 'rejected',
  term,
  prevIndex,
  hintIndex: hint[0],
  hintTerm: hint[1],
})
const pulseReply = (term: number, round = 0) => ({ type: 'heartbeatReply', term, round }) as const
const appendsOf = (messages: readonly Message[]): Append[] =>
  messages.filter((message) => message.type === 'append')
const indexesOf = ({ batches }: Append) => entriesOf(batches).map(({ index }) => index)

/** A leader of term 2 whose follower b holds all of its log, which ends with entry 2. */
function inStep(options: Parameters<typeof leader>[0] = {}): Server {
  const server = leader({ log: [1], ...options })
  server.receive('b', appended(2, 2))
  server.take({ type: 'applied', index: 2, batches: [] })
  return server
}

describe('proposals', () => {
  it('a command is numbered, saved and sent in one turn, and its ticket is answered', () => {
    const server = inStep()
    const step = server.take(proposal(7, 'x', 'y'))
    expect(step.answers).toEqual([{ type: 'accepted', ticket: 7, index: 3, term: 2 }])
    expect(step.save?.batches).toMatchObject([{ index: 3, term: 2, count: 2 }])
    expect(appendsOf(messagesOf(step, 'b')).map(indexesOf)).toEqual([[3, 4]])
  })

  it('what is proposed in one turn makes one save and one message to each follower', () => {
    const server = inStep()
    server.receive('c', appended(2, 2))
    const step = server.take(proposal(1, 'x'), proposal(2, 'y'), proposal(3, 'z'))
    expect(step.save?.batches).toHaveLength(3)
    expect(step.send).toHaveLength(2)
    const [first, second] = step.send
    expect(first?.message).toBe(second?.message)
  })

  it('the bytes of a command are the ones that were proposed: nothing is encoded again', () => {
    const server = inStep()
    const fact = proposal(1, 'x')
    const step = server.take(fact)
    const [message] = appendsOf(messagesOf(step, 'b'))
    const { bytes } = fact as { bytes: Uint8Array }
    expect(step.save?.batches[0]?.bytes).toBe(bytes)
    expect(message?.batches[0]?.bytes).toBe(bytes)
  })

  it.each([
    ['follower', follower()],
    ['candidate', candidate()],
  ])('a %s refuses them', (_, server) => {
    expect(server.take(proposal(1, 'x'))).toMatchObject({
      answers: [{ type: 'notLeader', ticket: 1, leader: undefined }],
      save: undefined,
    })
  })

  it('beyond its limit of uncommitted bytes a leader refuses, and takes in again once they are applied [bug 52]', () => {
    const server = inStep({ maxUncommittedBytes: 9 })
    const text = 'x'.repeat(6)
    expect(server.take(proposal(1, text)).answers).toMatchObject([{ type: 'accepted' }])
    expect(server.take(proposal(2, text)).answers).toEqual([{ type: 'overloaded', ticket: 2 }])
    server.saveAll()
    expect(server.receive('b', appended(2, 3)).state.commitIndex).toBe(3)
    server.take({ type: 'applied', index: 3, batches: [] })
    expect(server.take(proposal(3, text)).answers).toMatchObject([{ type: 'accepted' }])
  })

  it('what is refused for its bytes is counted from the log itself, over any run of commits, losses and changes of leader [bug 52]', () => {
    const act = fc.constantFrom('propose', 'commit', 'lose')
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        const cluster = new Cluster('ab', { maxUncommittedBytes: 30 })
        cluster.elect('a')
        for (const what of acts) {
          if (what === 'commit') {
            cluster.heartbeat('a')
            cluster.settle()
          } else if (what === 'lose') {
            cluster.crash('a')
            cluster.drop()
            cluster.restart('a')
            cluster.elect('a')
          } else {
            const { log, commitIndex } = cluster.server('a').state
            const entries = entriesOf(log.cells.slice(0, log.length)).slice(commitIndex)
            const bytes = entries.reduce((sum, { text }) => sum + 4 + text.length, 0)
            const [answer] = cluster.propose('a', 'six...').answers
            expect(answer?.type).toBe(bytes > 30 ? 'overloaded' : 'accepted')
          }
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe('windows', () => {
  it('so many messages are in flight to one follower and no more; each acknowledgement makes room', () => {
    const server = inStep({ maxInflightMessages: 2 })
    const sent = [1, 2, 3].map((i) => messagesOf(server.take(proposal(i, 'x')), 'b').length)
    expect(sent).toEqual([1, 1, 0])
    const [next] = appendsOf(messagesOf(server.receive('b', appended(2, 3)), 'b'))
    expect(indexesOf(next!)).toEqual([5])
  })

  it('so many bytes are in flight and no more, whatever the number of messages', () => {
    const server = inStep({ maxInflightBytes: 20 })
    const sent = [1, 2, 3, 4].map(
      (i) => messagesOf(server.take(proposal(i, '12345678')), 'b').length,
    )
    expect(sent).toEqual([1, 1, 0, 0])
    const [next] = appendsOf(messagesOf(server.receive('b', appended(2, 4)), 'b'))
    expect(indexesOf(next!)).toEqual([5, 6])
  })

  it('a slow follower does not hold up the other one', () => {
    const server = inStep({ maxInflightMessages: 1 })
    server.take(proposal(1, 'x'))
    server.receive('c', appended(2, 2))
    server.receive('c', appended(2, 3))
    const step = server.take(proposal(2, 'y'))
    expect(step.send.map(({ to }) => to)).toEqual(['c'])
  })

  it('a message holds at most so many bytes, in whole batches; a larger batch travels alone', () => {
    const server = inStep({ maxAppendBytes: 12 })
    const texts = ['1', '2', 'a large one, larger than the limit', '3', '4', '5']
    const step = server.take(...texts.map((text, i) => proposal(i, text)))
    const messages = appendsOf(messagesOf(step, 'b'))
    expect(messages.map(indexesOf)).toEqual([[3, 4], [5], [6, 7], [8]])
    messages.forEach((message, i) => {
      const before = messages[i - 1]
      if (before !== undefined) expect(message.prevIndex).toBe(indexesOf(before).at(-1))
    })
  })

  it('a follower that acknowledges what was not sent yet is not sent it', () => {
    const server = leader({ log: [1, 1] })
    const step = server.receive('b', appended(2, 3))
    expect(step.send).toEqual([])
    expect(server.progress('b')).toMatchObject({ match: 3, next: 4, inflight: [] })
  })

  it('every append continues where its previous index says, in every schedule of windows [bug 17]', () => {
    const text = fc.array(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 4 })
    const hint = fc.nat(12)
    const act = fc.oneof(
      text.map((texts) => ({ type: 'propose' as const, texts })),
      hint.map((index) => ({ type: 'appended' as const, index })),
      fc.tuple(hint, hint).map(([prev, index]) => ({ type: 'rejected' as const, prev, index })),
      fc.constant({ type: 'reply' as const }),
    )
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        const server = leader({ log: [1, 1, 1], maxAppendBytes: 9, maxInflightMessages: 2 })
        for (const one of acts) {
          const step =
            one.type === 'propose'
              ? server.take(proposal(1, ...one.texts))
              : one.type === 'appended'
                ? server.receive('b', appended(2, one.index))
                : one.type === 'rejected'
                  ? server.receive('b', rejected(2, one.prev, [Math.min(one.prev, one.index), 2]))
                  : server.receive('b', pulseReply(2))
          const log = entriesOf(server.state.log.cells.slice(0, server.state.log.length))
          for (const { prevIndex, prevTerm, batches } of appendsOf(messagesOf(step))) {
            const entries = entriesOf(batches)
            expect(prevTerm).toBe(log[prevIndex - 1]?.term ?? 0)
            expect(entries).toEqual(log.slice(prevIndex, prevIndex + entries.length))
          }
        }
      }),
    )
  })
})

describe('looking for where the logs agree', () => {
  it('one message at a time, until the first acknowledgement; then as many as the window holds', () => {
    const server = leader({ log: [1] })
    expect(server.progress('b')).toMatchObject({ probing: true, inflight: [{ last: 2 }] })
    expect(messagesOf(server.take(proposal(1, 'x')))).toEqual([])
    const [next] = appendsOf(messagesOf(server.receive('b', appended(2, 2)), 'b'))
    expect(indexesOf(next!)).toEqual([3])
    expect(messagesOf(server.take(proposal(2, 'y')), 'b')).toHaveLength(1)
  })

  it('a refusal goes back to the last entry that both may have, by term', () => {
    const server = leader({ log: [1, 1, 2, 2, 4, 4], term: 4 })
    const [first] = appendsOf(messagesOf(server.receive('b', rejected(5, 6, [6, 3]))))
    expect(first).toMatchObject({ prevIndex: 4, prevTerm: 2 })
    const [second] = appendsOf(messagesOf(server.receive('b', rejected(5, 4, [3, 1]))))
    expect(second).toMatchObject({ prevIndex: 2, prevTerm: 1 })
    expect(indexesOf(second!)).toEqual([3, 4, 5, 6, 7])
  })

  it('entries from the middle of a batch are sent as what they are', () => {
    const server = follower({ log: [1], term: 4, voters: 'ab', preVote: false })
    server.receive(
      'b',
      append(4, [1, 1], [batchOf(2, 2, ['p', 'q', 'r', 's']), batchOf(6, 4, ['t'])]),
    )
    server.now += 200
    server.take({ type: 'electionTimeout' })
    server.saveAll()
    server.receive('b', vote(5))
    const [message] = appendsOf(messagesOf(server.receive('b', rejected(5, 6, [3, 3])), 'b'))
    expect(message).toMatchObject({ prevIndex: 3, prevTerm: 2 })
    expect(entriesOf(message!.batches).map(({ text }) => text)).toEqual(['r', 's', 't', ''])
  })

  it('a refusal of an earlier term changes nothing', () => {
    const server = inStep()
    const before = server.progress('b')
    expect(server.receive('b', rejected(1, 2, [0, 0])).send).toEqual([])
    expect(server.progress('b')).toEqual(before)
  })

  it('an old refusal that arrives once more costs a message and loses nothing', () => {
    const cluster = new Cluster('ab', {}, { a: [1, 1, 1], b: [1] })
    cluster.lead('a')
    cluster.deliver()
    const [old] = cluster.take(carrying('rejected'))
    cluster.hand(old!)
    cluster.settle()
    cluster.hand(old!)
    cluster.settle()
    expect(cluster.server('a').progress('b')).toMatchObject({ match: 4, next: 5, probing: false })
    expect(cluster.terms('b')).toEqual([1, 1, 1, 2])
  })

  it('while looking, only the refusal of the present question counts', () => {
    const server = leader({ log: [1, 1, 1, 1] })
    server.receive('b', rejected(2, 4, [2, 1]))
    expect(server.progress('b').next).toBe(3)
    for (const prevIndex of [1, 3, 4]) server.receive('b', rejected(2, prevIndex, [0, 0]))
    expect(server.progress('b').next).toBe(3)
  })

  it('an impossible refusal or acknowledgement is dropped and counted', () => {
    const server = inStep()
    server.receive('b', rejected(2, 3, [4, 1]))
    server.receive('b', appended(2, 9))
    expect(server.state.dropped).toBe(2)
    expect(server.progress('b').match).toBe(2)
  })

  it('an acknowledgement that was queued before its entries were replaced counts for nobody [bug 16]', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.deliver(({ to }) => to === 'b')
    cluster.save('b')
    const late = cluster.take(carrying('appended'))
    expect(late.map(({ message }) => message)).toEqual([appended(1, 2)])
    cluster.drop()
    cluster.crash('a')
    cluster.restart('a')
    cluster.elect('c', 'b')
    cluster.elect('a', 'b')
    for (const envelope of late) cluster.hand(envelope)
    expect(cluster.server('a').progress('b').match).toBe(0)
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.terms('b')).toEqual([1, 2, 3])
  })
})

describe('what was lost is found', () => {
  const lossy = (options = {}) => {
    const cluster = new Cluster('ab', options)
    cluster.elect('a')
    for (const text of ['x', 'y', 'z']) cluster.propose('a', text)
    return cluster
  }

  it.each([
    ['the first', [0]],
    ['the last', [2]],
    ['all', [0, 1, 2]],
  ])('%s of three appends: one pulse brings them back [bug 48]', (_, lost) => {
    const cluster = lossy()
    const appends = cluster.take(carrying('append'))
    appends.forEach((envelope, i) => lost.includes(i) || cluster.hand(envelope))
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.commitIndex('a')).toBe(4)
  })

  it('all acknowledgements: one pulse brings them back, and no entry is sent again [bug 48]', () => {
    const cluster = lossy()
    cluster.deliver()
    for (const id of ['b', 'a']) for (let i = 0; i < 3; i++) cluster.save(id)
    cluster.drop()
    cluster.heartbeat('a')
    cluster.deliver()
    cluster.deliver()
    expect(cluster.wire.map(({ message }) => message)).toMatchObject([
      { type: 'append', batches: [] },
    ])
    cluster.settle()
    expect(cluster.commitIndex('a')).toBe(4)
  })

  it('a full window, all of it lost [bug 48]', () => {
    const cluster = lossy({ maxInflightMessages: 2 })
    cluster.drop()
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.commitIndex('a')).toBe(4)
  })

  it.each([
    ['one message', { maxInflightMessages: 1 }],
    ['fewer bytes than one batch has', { maxInflightBytes: 2 }],
  ])('the first append of a term, when %s may be in flight [bug 48]', (_, options) => {
    const cluster = new Cluster('ab', options)
    cluster.lead('a')
    cluster.drop()
    cluster.settle()
    for (let i = 0; i < 3; i++) {
      cluster.heartbeat('a')
      cluster.settle()
    }
    expect(cluster.commitIndex('a')).toBe(1)
  })

  it('nothing is asked of a follower that has answered everything', () => {
    const server = inStep()
    expect(server.receive('b', pulseReply(2)).send).toEqual([])
  })
})

describe('commits', () => {
  it('an entry of an earlier term on every disk commits with the first one of this term, in one step [bug 1]', () => {
    const server = leader({ log: [1, 1] })
    expect(server.receive('b', appended(2, 2)).committed).toEqual([])
    const { committed } = server.receive('b', appended(2, 3))
    expect(entriesOf(committed).map(({ index }) => index)).toEqual([1, 2, 3])
  })

  it('a pulse tells a follower of a commit only as far as the follower is known to hold it', () => {
    const server = inStep({ log: [1, 1, 1] })
    server.receive('b', appended(2, 4))
    const step = server.take({ type: 'heartbeatTimeout' })
    expect(messagesOf(step)).toMatchObject([{ commit: 4 }, { commit: 0 }])
  })

  it('it is remembered since when a follower could know of a commit that it has not been told of', () => {
    const server = inStep()
    expect(server.leader.untold).toBe(server.now)
    const since = server.now
    server.now += 5
    server.receive('c', appended(2, 2))
    expect(server.leader.untold).toBe(since)
    server.take({ type: 'heartbeatTimeout' })
    expect(server.leader.untold).toBeUndefined()
  })

  it('a late follower learns of the commit with the next pulse [bug 48]', () => {
    const cluster = new Cluster('abc')
    cluster.elect('a')
    cluster.propose('a', 'x')
    cluster.settle()
    expect(cluster.commitIndex('b')).toBe(1)
    cluster.heartbeat('a')
    cluster.settle()
    expect(cluster.servers.map(({ state }) => state.commitIndex)).toEqual([2, 2, 2])
  })

  it('a leader deposed in the turn in which it took commands in still saves what it promised a ticket for', () => {
    const server = inStep()
    const step = server.take(
      proposal(1, 'x'),
      received('c', 'a', append(3, [2, 2], [batchOf(3, 3, ['theirs'])])),
    )
    expect(step.answers).toMatchObject([{ type: 'accepted', index: 3, term: 2 }])
    expect(step.save).toMatchObject({ term: 3, batches: [{ term: 2 }, { term: 3 }] })
    expect(server.saveAll()).toEqual([appended(3, 3)])
  })
})
