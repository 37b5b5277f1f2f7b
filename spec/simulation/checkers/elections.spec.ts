import { describe, expect, it } from 'vitest'
import type { Message } from '../../../lib/messages.ts'
import { electionSafety } from '../../../testing/checkers/electionSafety.ts'
import { promises } from '../../../testing/checkers/promises.ts'
import { voteOnce } from '../../../testing/checkers/voteOnce.ts'
import { disk, follower, judge, leader, turn, wiped } from './support.ts'

const vote = (term: number, granted = true, pre = false): Message => ({
  ...{ type: 'vote', term, pre, granted },
})
const ask = (term: number, pre = false): Message => ({
  ...{ type: 'requestVote', term, pre, handedOver: false, lastIndex: 0, lastTerm: 0 },
})
const acknowledge = (term: number, match: number): Message => ({ type: 'appended', term, match })

describe('election safety: at most one leader in a term (§5.2)', () => {
  const leads = (id: string, term: number, life = 1) => turn(id, { term, role: leader, life })

  it('passes leaders of different terms, however long they lead', () => {
    const run = [leads('a', 1), leads('a', 1), leads('b', 2), leads('a', 3), leads('b', 2)]
    expect(judge(electionSafety, [...run, turn('c', { term: 3, role: follower('a') })])).toEqual([])
  })

  it('catches two leaders in one term, also when one stopped leading in between', () => {
    const run = [leads('a', 2), turn('a', { term: 3 }), leads('b', 2)]
    expect(judge(electionSafety, run)).toEqual([expect.stringMatching(/both led term 2/)])
  })

  it('catches a server that leads the same term again in its next life', () => {
    expect(judge(electionSafety, [leads('a', 2), leads('a', 2, 2)])).toHaveLength(1)
  })
})

describe('vote once: at most one candidate in a term (§5.2)', () => {
  it('passes a vote that is repeated, refused, asked in advance, or of another term', () => {
    const run = [
      turn('a', { term: 1, vote: 'b' }),
      disk('a', 1, 'b'),
      turn('a', { term: 1, vote: 'b', says: [['b', vote(1)]] }),
      turn('a', { term: 1, vote: 'b', says: [['b', vote(1)]] }),
      turn('a', { term: 1, vote: 'b', says: [['c', vote(1, false)]] }),
      turn('a', { term: 1, vote: 'b', says: [['b', vote(2, true, true)]] }),
      turn('a', { term: 2, vote: undefined }),
      disk('a', 2, 'c'),
      turn('a', { term: 2, vote: 'c', life: 2, says: [['c', vote(2)]] }),
    ]
    expect(judge(voteOnce, run)).toEqual([])
  })

  it('passes another vote after a crash that lost the first before it was saved or sent', () => {
    const run = [turn('a', { term: 1, vote: 'b' }), turn('a', { term: 1, vote: 'c', life: 2 })]
    expect(judge(voteOnce, run)).toEqual([])
  })

  it.each([
    [
      'votes for two in its memory',
      [turn('a', { term: 1, vote: 'b' }), turn('a', { term: 1, vote: 'c' })],
    ],
    [
      'clears its vote within a term [bug 69]',
      [turn('a', { term: 1, vote: 'b' }), turn('a', { term: 1 })],
    ],
    [
      'grants two in messages',
      [
        turn('a', {
          says: [
            ['b', vote(1)],
            ['c', vote(1)],
          ],
        }),
      ],
    ],
    [
      'grants after a crash what it saved for another',
      [disk('a', 1, 'b'), turn('a', { life: 2, says: [['c', vote(1)]] })],
    ],
    [
      'grants after it asked for itself',
      [turn('a', { says: [['b', ask(1)]] }), turn('a', { life: 2, says: [['c', vote(1)]] })],
    ],
    ['saves two', [disk('a', 1, 'b'), disk('a', 1, 'c')]],
    ['forgets on disk', [disk('a', 1, 'b'), disk('a', 1, undefined)]],
  ])('catches a server that %s', (_, run) => {
    expect(judge(voteOnce, run)).toHaveLength(1)
  })

  it('excuses a server whose disk was wiped', () => {
    const run = [disk('a', 1, 'b'), wiped('a'), disk('a', 0, undefined), disk('a', 1, 'c')]
    expect(judge(voteOnce, run)).toEqual([])
  })
})

describe('promises leave when the disk holds them (§5.2, §5.3)', () => {
  it('passes what is durable, what promises nothing, and what was overtaken by a later term', () => {
    const run = [
      turn('a', {
        says: [
          ['b', vote(5, false)],
          ['b', vote(5, true, true)],
          ['b', ask(5, true)],
        ],
      }),
      disk('a', 1, 'b', '1'),
      turn('a', {
        says: [
          ['b', vote(1)],
          ['b', acknowledge(1, 1)],
        ],
      }),
      disk('a', 2, 'a'),
      turn('a', {
        says: [
          ['b', ask(2)],
          ['b', vote(1)],
          ['b', acknowledge(1, 1)],
        ],
      }),
    ]
    expect(judge(promises, run)).toEqual([])
  })

  it.each([
    ['a vote before it is saved [bug 5]', disk('a', 1, undefined), vote(1)],
    ['a vote of a term that is not saved', disk('a', 1, 'b'), vote(2)],
    ['a vote that the disk gave another', disk('a', 1, 'c'), vote(1)],
    ['a request before its own vote is saved [bug 6]', disk('a', 1, 'a'), ask(2)],
    ['an acknowledgement of what is not saved [bug 14]', disk('a', 1, 'b', '1'), acknowledge(1, 2)],
    ['an acknowledgement in a term that is not saved', disk('a', 1, 'b', '1'), acknowledge(2, 1)],
  ])('catches %s', (_, saved, message) => {
    expect(judge(promises, [saved, turn('a', { says: [['b', message]] })])).toHaveLength(1)
  })

  it('catches a promise of a server that never saved anything', () => {
    expect(judge(promises, [turn('a', { says: [['b', vote(1)]] })])).toHaveLength(1)
  })
})
