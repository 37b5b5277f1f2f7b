import { mergeMap } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { ConfigError, NotLeader, Stopped } from '../../lib/errors.ts'
import type { Consistency } from '../../operators/engine/node.ts'
import { raft } from '../../operators/engine/raft.ts'
import { marbles } from '../operators/support.ts'
import { appliedBy, journal, three, write } from './support.ts'

const groups = { p: [['b']], h: undefined }

describe('a query that may miss what came in the last ms', () => {
  it('is answered by a server that is cut off until its bound is over, and not after', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      // What `b` has was confirmed at 22 to be everything of before 18, when it asked.
      const toA$ = hot('  -------------x------------y-------------------')
      const confirming = '------------------(q|)'
      const confirmed = ' ----------------------(x|)'
      const cut$ = hot('  -----------------------p----------------------', groups)
      const within11 = '  -----------------------------(q|)'
      const inTime = '    -----------------------------(x|)'
      const after11 = '   ------------------------------(q|)'
      const tooLate = '   ----------------------------------#'
      const end = '       ----------------------------------------------|'
      const servers = three(scheduler, { partitions$: cut$ })
      const node = servers.node('b')
      const ask = (when: string, consistency: Consistency, timeout: number) =>
        cold(when).pipe(mergeMap(() => node.query('all', { consistency, timeout })))
      expectObservable(ask(confirming, 'linearizable', 20)).toBe(confirmed)
      expectObservable(ask(within11, { within: 11 }, 4)).toBe(inTime)
      const error = new NotLeader(undefined)
      expectObservable(ask(after11, { within: 11 }, 4)).toBe(tooLate, undefined, error)
      write(servers, 'a', toA$)
      servers.connect(hot(end))
    })
  })

  it('asks the leader when it has to, and the next one need not', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const toA$ = hot(' -------------x-----------y-------')
      const first = '    -----------------(q|)'
      const asked = '    ---------------------(x|)'
      const second = '   ---------------------------(q|)'
      const atOnce = '   ---------------------------(x|)'
      const third = '    ----------------------------(q|)'
      const again = '    --------------------------------(z|)'
      const end = '      ----------------------------------|'
      const servers = three(scheduler)
      const node = servers.node('c')
      const ask = (when: string) =>
        cold(when).pipe(mergeMap(() => node.query('all', { consistency: { within: 10 } })))
      expectObservable(ask(first)).toBe(asked)
      expectObservable(ask(second)).toBe(atOnce)
      expectObservable(ask(third)).toBe(again, { z: 'xy' })
      write(servers, 'a', toA$)
      servers.connect(hot(end))
    })
  })
})

describe('a query that needs an index', () => {
  it('waits for it on a server that is behind, and asks nobody', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      // The leader's first entry has index 1, `x` has 2, `y` has 3, which `b` misses at first.
      const toA$ = hot('   -------------x------y----------------')
      const cut$ = hot('   -------------------p----------h------', groups)
      const asked = '      -----------------------(q|)'
      const appliedByB = ' -----------------x-----------------y-|'
      const two = '        -----------------------(x|)'
      const both = '       -----------------------------------(z|)'
      const end = '        -------------------------------------|'
      const servers = three(scheduler, { partitions$: cut$ })
      const node = servers.node('b')
      const ask = (atLeast: number, timeout = 40) =>
        cold(asked).pipe(mergeMap(() => node.query('all', { consistency: { atLeast }, timeout })))
      expectObservable(appliedBy(servers, 'b')).toBe(appliedByB)
      expectObservable(ask(2)).toBe(two)
      expectObservable(ask(3)).toBe(both, { z: 'xy' })
      const tooLate = '   ----------------------------#'
      expectObservable(ask(3, 5)).toBe(tooLate, undefined, new NotLeader(undefined))
      write(servers, 'a', toA$)
      servers.connect(hot(end))
    })
  })

  it('is told when the node stops', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const servers = three(scheduler)
      const asked$ = servers.node('b').query('all', { consistency: { atLeast: 99 } })
      expectObservable(asked$).toBe('--------------------#', undefined, new Stopped('none'))
      servers.connect(hot('          --------------------|'))
    })
  })
})

it.each([
  ['eventual'],
  [null],
  [{}],
  [{ within: -1 }],
  [{ within: NaN }],
  [{ within: '5' }],
  [{ atLeast: -1 }],
  [{ atLeast: 1.5 }],
  [{ atLeast: 1, within: 1 }],
])('a consistency that cannot be is refused at once: %j', (consistency) => {
  const node = raft({ id: 'a', machine: journal })
  const ask = () => node.query('all', { consistency: consistency as Consistency })
  expect(ask).toThrow(ConfigError)
  expect(ask).toThrow(/^consistency is .* it should be 'linearizable', 'stale', /)
})
