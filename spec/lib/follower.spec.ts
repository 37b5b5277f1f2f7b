import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../lib/errors.ts'
import { batchOf, entriesIn, entriesOf, logOf, termsIn } from './bench/entries.ts'
import { append, heartbeat } from './bench/messages.ts'
import { candidate, follower, messagesOf, precandidate, received } from './bench/server.ts'

const appended = (term: number, match: number) => ({ type: 'appended', term, match }) as const

describe('entries arrive', () => {
  it('new entries are saved once, acknowledged when they are durable, and not before', () => {
    const server = follower({ log: [1] })
    const step = server.receive('b', append(1, [1, 1], logOf([1, 1], 2)))
    expect(step.send).toEqual([])
    expect(step.save?.batches.map(({ index }) => index)).toEqual([2, 3])
    expect(messagesOf(server.save(), 'b')).toEqual([appended(1, 3)])
  })

  it('an older message after a newer one takes nothing away, and a repeated one writes nothing [bug 19]', () => {
    const server = follower({ log: [1] })
    const first = append(1, [1, 1], logOf([1], 2))
    const second = append(1, [2, 1], logOf([1, 1], 3))
    server.receive('b', first)
    server.receive('b', second)
    expect(server.receive('b', first).save).toBeUndefined()
    expect(server.receive('b', append(1, [0, 0])).save).toBeUndefined()
    expect(termsIn(server.state.log)).toEqual([1, 1, 1, 1])
  })

  it('the acknowledgement never goes beyond the message, also when the log does [bug 35]', () => {
    const server = follower({ log: [1, 1, 1, 1, 1] })
    expect(messagesOf(server.receive('b', append(2, [1, 1], logOf([1], 2))))).toEqual([])
    expect(messagesOf(server.save(), 'b')).toEqual([appended(2, 2)])
    expect(messagesOf(server.receive('b', append(2, [3, 1])))).toEqual([appended(2, 3)])
    expect(server.state.log.lastIndex).toBe(5)
  })

  it('entries behind the message that its leader may not have are neither acknowledged nor committed [bug 35]', () => {
    const server = follower({ log: [1, 2, 2] })
    server.receive('b', append(3, [1, 1], [], 3))
    expect(server.state.commitIndex).toBe(1)
    expect(server.saveAll()).toEqual([appended(3, 1)])
  })

  it('a conflict cuts the log there and nowhere else; what comes instead is in the same save', () => {
    const server = follower({ log: [1, 2, 2, 2] })
    const { save } = server.receive('b', append(3, [1, 1], logOf([2, 3], 2)))
    expect(save?.batches).toMatchObject([{ index: 3, term: 3 }])
    expect(termsIn(server.state.log)).toEqual([1, 2, 3])
  })

  it('of a batch that is there in part, only the missing part is saved', () => {
    const server = follower({ term: 2 })
    server.receive('b', append(2, [0, 0], [batchOf(1, 1, ['a', 'b'])]))
    const { save } = server.receive('b', append(2, [0, 0], [batchOf(1, 1, ['a', 'b', 'c', 'd'])]))
    expect(entriesOf(save!.batches).map(({ index, text }) => `${index} ${text}`)).toEqual([
      '3 c',
      '4 d',
    ])
    expect(entriesIn(server.state.log).map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('a committed entry that would be replaced stops the server rather than the promise', () => {
    const server = follower({ log: [1, 1], term: 2 })
    server.receive('b', append(2, [2, 1], [], 2))
    expect(() => server.receive('b', append(2, [1, 1], logOf([2], 2)))).toThrow(InvariantError)
  })

  it('several messages in one turn make one save and one acknowledgement, of the highest entry', () => {
    const server = follower({ log: [1] })
    const messages = [2, 3, 4].map((index) => append(1, [index - 1, 1], logOf([1], index)))
    const { save } = server.receive('b', ...messages, messages[0]!)
    expect(save?.batches.map(({ index }) => index)).toEqual([2, 3, 4])
    expect(messagesOf(server.save())).toEqual([appended(1, 4)])
  })

  it('an entry that comes and is replaced in one turn is saved in that order', () => {
    const server = follower({ log: [1], term: 2 })
    const { save } = server.take(
      received('b', 'a', append(2, [1, 1], logOf([2], 2))),
      received('c', 'a', append(3, [1, 1], logOf([3], 2))),
    )
    expect(save).toMatchObject({ term: 3, batches: [{ term: 2 }, { term: 3 }] })
    server.saveAll()
    expect(server.disk.log.map(({ term }) => term)).toEqual([1, 3])
  })

  it("any cut of the leader's log, in any order, with repeats, ends in the leader's log", () => {
    const terms = [1, 1, 2, 2, 2, 4, 5, 5]
    const cut = fc
      .tuple(fc.nat(8), fc.nat(8))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
    fc.assert(
      fc.property(fc.array(cut, { maxLength: 20 }), (cuts) => {
        const server = follower({ log: [1, 1, 2, 3, 3, 3, 3], term: 5 })
        for (const [prev, last] of [...cuts, [0, 8] as const]) {
          const batches = logOf(terms).slice(prev, last)
          server.receive('b', append(5, [prev, terms[prev - 1] ?? 0], batches))
          const [answer] = server.saveAll()
          if (answer?.type === 'appended') expect(answer.match).toBe(last)
        }
        expect(termsIn(server.state.log)).toEqual(terms)
        expect(entriesIn(server.state.log)).toEqual(server.disk.log)
      }),
    )
  })
})

describe('entries are refused', () => {
  it.each([
    ['a log that is too short: its end', [1, 1], [5, 1], { hintIndex: 2, hintTerm: 1 }],
    [
      'a later term: the end of the term before',
      [1, 1, 3, 3],
      [4, 2],
      { hintIndex: 2, hintTerm: 1 },
    ],
    ['an earlier term: the same index', [1, 1, 2], [3, 3], { hintIndex: 3, hintTerm: 2 }],
    ['nothing in common: the start', [2, 2], [2, 1], { hintIndex: 0, hintTerm: 0 }],
    ['an empty log: the start', [], [4, 2], { hintIndex: 0, hintTerm: 0 }],
  ] as const)(
    'and the refusal tells where the logs may still agree for %s',
    (_, log, prev, hint) => {
      const server = follower({ log, term: 4 })
      expect(messagesOf(server.receive('b', append(4, prev)))).toEqual([
        { type: 'rejected', term: 4, prevIndex: prev[0], ...hint },
      ])
    },
  )

  it('the hint is never behind an entry that the logs share', () => {
    const term = fc.integer({ min: 1, max: 4 })
    const log = fc.array(term, { maxLength: 8 }).map((terms) => terms.sort((a, b) => a - b))
    fc.assert(
      fc.property(log, log, (own, theirs) => {
        // Logs of one history share a prefix, and never an entry of one term behind it.
        const shared = own.findIndex((t, i) => t !== theirs[i])
        const prefix = shared < 0 ? Math.min(own.length, theirs.length) : shared
        const isOneHistory = !own.slice(prefix).some((t) => theirs.slice(prefix).includes(t))
        fc.pre(isOneHistory && theirs.length > 0)
        const server = follower({ log: own, term: 5 })
        const prev = [theirs.length, theirs.at(-1)!] as const
        const [answer] = messagesOf(server.receive('b', append(5, prev)))
        if (answer?.type === 'rejected') expect(answer.hintIndex).toBeGreaterThanOrEqual(prefix)
        else expect(prefix).toBe(theirs.length)
      }),
      { numRuns: 300 },
    )
  })
})

describe('impossible appends are dropped and counted', () => {
  it.each([
    ['a gap after the previous entry [bug 17]', append(2, [1, 1], logOf([1], 3))],
    ['a gap between two batches [bug 17]', append(2, [1, 1], [...logOf([1], 2), ...logOf([1], 4)])],
    ['an overlap', append(2, [1, 1], [...logOf([1], 2), ...logOf([1], 2)])],
    ['entries from the middle after index 0 [bug 17]', append(2, [0, 0], logOf([1], 5))],
    ['terms that fall', append(2, [1, 1], logOf([2, 1], 2))],
    ['a term before that of the previous entry', append(2, [1, 2], logOf([1], 2))],
    ["an entry of a later term than the leader's", append(2, [1, 1], logOf([3], 2))],
    ["a previous entry of a later term than the leader's", append(2, [1, 3])],
    ['a batch without entries', append(2, [1, 1], [{ ...logOf([1], 2)[0]!, count: 0 }])],
  ])('%s', (_, message) => {
    const server = follower({ log: [1], term: 1 })
    const step = server.receive('b', message)
    expect(step).toMatchObject({ save: undefined, send: [] })
    expect(server.state).toMatchObject({ term: 1, dropped: 1 })
    expect(termsIn(server.state.log)).toEqual([1])
  })

  it('what is addressed to others, comes from itself, or from a stranger', () => {
    const server = follower()
    server.take(received('b', 'c', heartbeat(1)))
    server.take(received('a', 'a', heartbeat(1)))
    server.take(received('z', 'a', { type: 'appended', term: 1, match: 0 }))
    expect(server.state).toMatchObject({ dropped: 3, term: 0 })
  })

  it('previous index 0 has term 0: anything else is refused, never taken for a match [bug 18]', () => {
    const server = follower({ log: [1], term: 2 })
    expect(messagesOf(server.receive('b', append(2, [0, 1])))).toMatchObject([{ type: 'rejected' }])
    expect(messagesOf(server.receive('b', append(2, [1, 0])))).toMatchObject([{ type: 'rejected' }])
    expect(messagesOf(server.receive('b', append(2, [9, 0])))).toMatchObject([{ type: 'rejected' }])
  })
})

describe('the pulse', () => {
  it('is answered at once with its number, also while the disk is busy', () => {
    const server = follower({ log: [1] })
    server.receive('b', append(1, [1, 1], logOf([1], 2)))
    expect(messagesOf(server.receive('b', heartbeat(1, 0, 7)))).toEqual([
      { type: 'heartbeatReply', term: 1, round: 7 },
    ])
  })

  it('commits what the leader says, and never goes back', () => {
    const server = follower({ log: [1, 1, 1] })
    const steps = [2, 1, 3].map((commit) => server.receive('b', heartbeat(1, commit)))
    expect(steps.map(({ state }) => state.commitIndex)).toEqual([2, 2, 3])
    expect(steps.map(({ committed }) => committed.map(({ index }) => index))).toEqual([
      [1, 2],
      [],
      [3],
    ])
  })

  it('a restart commits nothing until a leader says so: not even what is on the disk [bug 61]', () => {
    const server = follower({ log: [1, 1, 1] })
    expect(server.state).toMatchObject({ commitIndex: 0, appliedIndex: 0 })
    server.receive('b', append(2, [1, 1], logOf([2], 2), 2))
    expect(server.state.commitIndex).toBe(2)
    expect(termsIn(server.state.log)).toEqual([1, 2])
  })

  it('whoever asks for votes in the same term follows the leader that it hears', () => {
    for (const server of [candidate({ term: 1 }), precandidate({ term: 2 })]) {
      server.receive('c', heartbeat(2))
      expect(server.state.role).toEqual({ type: 'follower', leader: 'c', asked: [] })
    }
  })
})
