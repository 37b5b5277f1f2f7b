import { map, mergeMap } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { RaftError } from '../../lib/errors.ts'
import type { NodeId } from '../../lib/types.ts'
import type { Progress } from '../../operators/engine/node.ts'
import { marbles } from '../operators/support.ts'
import { chaos, type End } from './chaos.ts'
import { appliedBy, sets, three, write } from './support.ts'

describe('what a leader that is cut off has taken in', () => {
  const groups = { p: [['a']], h: undefined }
  const progressOf = map<Progress<string>, string>(({ type }) =>
    type === 'abandoned' ? 'x' : type[0]!,
  )

  it('is superseded where the others went on without it, and says so [bug 50]', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const cut$ = hot('    ------------------p-----------------h---------', groups)
      const toA = '         -------------------(a|)'
      const toB = '         ----------------------------------(b|)'
      const progressA = '   -------------------q-----------------------(x|)'
      const progressB = '   ----------------------------------q-(rca|)'
      const end = '         ----------------------------------------------|'
      const appliedByAll = '-------------------------------------------b--|'
      const servers = three(scheduler, { partitions$: cut$ })
      const propose = (id: NodeId, words: string) =>
        cold(words).pipe(
          mergeMap((word) => servers.node(id).propose(word)),
          progressOf,
        )
      expectObservable(propose('a', toA)).toBe(progressA)
      expectObservable(propose('b', toB)).toBe(progressB)
      expectObservable(appliedBy(servers, 'a')).toBe(appliedByAll)
      servers.connect(hot(end))
    })
  })

  it('survives where one other has it and is elected, and is applied once', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      // The word reaches `b` and `c`, and their answers do not reach `a`.
      const cut$ = hot('   ------------------p-----------------h---------', groups)
      const toA = '        ----------------(a|)'
      const progressA = '  ----------------q------------------------(rca|)'
      const end = '        ----------------------------------------------|'
      const appliedByA = ' -----------------------------------------a----|'
      const appliedByB = ' -------------------------------a--------------|'
      const servers = three(scheduler, { partitions$: cut$ })
      const progress$ = cold(toA).pipe(
        mergeMap((word) => servers.node('a').propose(word)),
        progressOf,
      )
      expectObservable(progress$).toBe(progressA)
      expectObservable(appliedBy(servers, 'a')).toBe(appliedByA)
      expectObservable(appliedBy(servers, 'b')).toBe(appliedByB)
      servers.connect(hot(end))
    })
  })

  // Today `z` is reported as applied, with the result of `q`.
  it('is superseded also by an entry of an earlier term than its own [bug 50]', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      // `a` alone has `p` and `q`, of term 1, at 2 and 3. `b` wins term 2, is cut off before it can tell
      // anybody, and takes in `z` at 3. `a` wins term 3: what is committed at 3 is `q`, of term 1.
      const groups = { a: [['a']], b: [['b']], n: undefined }
      const cut$ = hot('    -----------------a---------b--------------------n-----------', groups)
      const toA$ = hot('    ------------------pq----------------------------------------')
      const toB = '         ----------------------------(z|)'
      const end = '         ------------------------------------------------------------|'
      const leads = '       n---------a---------------wb----------n----a----------------|'
      const appliedByB = '  ------------------------------------------------------(pq)--|'
      const progress = '    ----------------------------q-------------------------(x|)'
      const servers = three(scheduler, { partitions$: cut$ })
      const propose = (word: string) => servers.node('b').propose(word)
      expectObservable(servers.leaders$).toBe(leads, { ...sets, w: ['a', 'b'] })
      expectObservable(appliedBy(servers, 'b')).toBe(appliedByB)
      expectObservable(cold(toB).pipe(mergeMap(propose), progressOf)).toBe(progress)
      write(servers, 'a', toA$)
      servers.connect(hot(end))
    })
  })
})

describe('proposals to servers that crash, restart and are cut off at random', () => {
  const seeds = Array.from({ length: 25 }, (_, i) => i + 1)

  it.each(seeds)('settle once, as what became of them: seed %i [bug 50][F42]', (seed) => {
    const { words, ends, logs, disagreements } = chaos(seed)
    expect(disagreements).toEqual([])
    const log = logs[0]!
    for (const other of logs) expect(other).toEqual(log)
    expect(new Set(log).size).toBe(log.length)
    expect(log.some((word) => word.startsWith('last'))).toBe(true)
    for (const word of words) {
      expect(ends.get(word), word).toHaveLength(1)
      const [end] = ends.get(word)!
      const { times, result } = claimOf(end!)
      expect(times, word).toContain(log.includes(word) ? 1 : 0)
      if (result !== undefined) expect(log[result - 1]).toBe(word)
    }
  })

  it('come to every end', () => {
    const ends = seeds.flatMap((seed) => [...chaos(seed).ends.values()].flat())
    const kinds = new Set(ends.map((end) => ('type' in end ? end.type : end.name)))
    expect([...kinds].sort()).toEqual(['NotLeader', 'Stopped', 'Timeout', 'abandoned', 'applied'])
  })
})

/** How often a word may be in the log, and at which place, after what its proposer was told. */
function claimOf(end: End): { readonly times: readonly number[]; readonly result?: number } {
  if (end instanceof RaftError) return { times: end.outcome === 'none' ? [0] : [0, 1] }
  if (end instanceof Error) throw end
  return end.type === 'applied' ? { times: [1], result: end.result } : { times: [0] }
}
