import { map, mergeMap } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { RaftError } from '../../lib/errors.ts'
import type { Progress } from '../../operators/engine/node.ts'
import { marbles } from '../operators/support.ts'
import { chaos, type End } from './chaos.ts'
import { retrying } from './retrying.ts'
import { appliedBy, three } from './support.ts'

/** Each step of a proposal as its first letter, the result as a word. */
const told = map<Progress<string>, string>((progress) => {
  if (progress.type === 'applied') return `${progress.result} ${progress.index}`
  return progress.type === 'abandoned' ? 'x' : progress.type[0]!
})

describe('what is proposed to a follower that passes it on', () => {
  it('is told as far as it has come, and its result is that of the follower', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      // Twice there and back, for the session and for the word, then the acknowledgement and the commit.
      const toB = '         -------------(p|)'
      const appliedByB = '  --------------------w----|'
      const progress = '    -----------------q--(rct|)'
      const end = '         -------------------------|'
      const servers = three(scheduler, { forward: true })
      expectObservable(appliedBy(servers, 'b')).toBe(appliedByB)
      const progress$ = cold(toB).pipe(mergeMap(() => servers.node('b').propose('w')))
      expectObservable(progress$.pipe(told)).toBe(progress, {
        ...{ q: 'q', r: 'r', c: 'c' },
        t: 'w 3',
      })
      servers.connect(hot(end))
    })
  })

  it('is unknown when its leader is lost before it has answered', () => {
    marbles(({ hot }, scheduler) => {
      const toB$ = hot('    -------------w------------------------------')
      const crash$ = hot('  --------------a-----------------------------')
      const end = '         --------------------------------------------|'
      const servers = three(scheduler, { forward: true, crash$ })
      const ends: unknown[] = []
      toB$.subscribe((word) =>
        servers.node('b').submit(word, {
          applied: () => ends.push('applied'),
          failed: (error) => ends.push([error.name, (error as RaftError).outcome]),
        }),
      )
      servers.connect(hot(end))
      scheduler.schedule(() => expect(ends).toEqual([['Unanswered', 'unknown']]), 43)
    })
  })
})

describe('what servers pass on while they crash, restart and are cut off at random', () => {
  const seeds = Array.from({ length: 25 }, (_, i) => i + 1)
  const runs = new Map(seeds.map((seed) => [seed, chaos(seed, { forward: true })]))

  it.each(seeds)('settles once, as what became of it: seed %i [bug 50][F42][F1]', (seed) => {
    const { words, ends, logs, disagreements } = runs.get(seed)!
    expect(disagreements).toEqual([])
    const log = logs[0]!
    for (const other of logs) expect(other).toEqual(log)
    expect(new Set(log).size).toBe(log.length)
    for (const word of words) {
      expect(ends.get(word), word).toHaveLength(1)
      const [end] = ends.get(word)!
      expect(timesOf(end!), word).toContain(log.includes(word) ? 1 : 0)
      if ('type' in end! && end.type === 'applied') expect(log[end.result - 1]).toBe(word)
    }
  })

  it('is applied by servers that do not lead, and comes to every end', () => {
    const ends = [...runs.values()].flatMap((run) => [...run.ends.values()].flat())
    const kinds = new Set(ends.map((end) => ('type' in end ? end.type : end.name)))
    expect([...kinds].sort()).toEqual([
      'NotLeader',
      'Stopped',
      'Superseded',
      'Unanswered',
      'applied',
    ])
    const applied = [...runs.values()].map(
      ({ ends }) =>
        ['a', 'b', 'c'].filter((id) => isApplied(ends.get(`last of ${id}`)?.[0])).length,
    )
    expect(Math.min(...applied)).toBe(3)
  })

  it.each(seeds)('is applied once when it is tried again: seed %i [F43]', (seed) => {
    const { answers, written } = retrying(seed, { forward: true })
    const [words] = written
    for (const other of written) expect(other).toEqual(words)
    expect(new Set(words).size).toBe(words!.length)
    for (const [word, place] of answers) {
      if (place !== undefined) expect(words![place - 1]).toBe(word)
    }
  })
})

const isApplied = (end: End | undefined): boolean =>
  end !== undefined && 'type' in end && end.type === 'applied'

/** How often a word may be in the log, after what its proposer was told. */
function timesOf(end: End): readonly number[] {
  if (end instanceof RaftError) return end.outcome === 'none' ? [0] : [0, 1]
  if (end instanceof Error) throw end
  return end.type === 'applied' ? [1] : [0]
}
