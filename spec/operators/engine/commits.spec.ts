import { describe, expect, it } from 'vitest'
import { append, compact, emptyLog, truncate, type Log } from '../../../lib/log.ts'
import { Commits, type Run } from '../../../operators/engine/commits.ts'
import { commands } from '../support.ts'

/** Runs of commands whose commits are told. */
function telling() {
  const commits = new Commits<string>()
  const heard: string[] = []
  const run = (index: number, term: number, ...names: string[]): Run<string> => {
    const settles = names.map((name) => ({
      committed: (index: number, term: number) => heard.push(`${name} ${index}@${term}`),
      applied: () => undefined,
      failed: () => undefined,
    }))
    const added = { index, term, settles, next: index, untold: index }
    commits.add(added)
    return added
  }
  const tell = (log: Log, commitIndex: number): string[] => {
    commits.tell({ log, commitIndex })
    return heard.splice(0)
  }
  return { commits, run, tell }
}

const logOf = (...terms: readonly number[]): Log =>
  terms.reduce((log, term, i) => append(log, [commands(i + 1, term, 'x')]), emptyLog())

describe('commits', () => {
  it('are told once each, as far as they have come', () => {
    const { run, tell } = telling()
    run(2, 1, 'a', 'b', 'c')
    run(5, 1, 'd')
    const log = logOf(1, 1, 1, 1, 1)
    expect(tell(log, 1)).toEqual([])
    expect(tell(log, 3)).toEqual(['a 2@1', 'b 3@1'])
    expect(tell(log, 3)).toEqual([])
    expect(tell(log, 5)).toEqual(['c 4@1', 'd 5@1'])
    expect(tell(log, 5)).toEqual([])
  })

  it('are not told of those that another entry took the place of', () => {
    const { run, tell } = telling()
    run(2, 1, 'a', 'b')
    expect(tell(logOf(1, 2, 2), 3)).toEqual([])
    expect(tell(logOf(1, 2, 2), 3)).toEqual([])
  })

  it('are not told of those whose place the log no longer shows', () => {
    const { run, tell } = telling()
    run(2, 1, 'a')
    expect(tell(compact(logOf(1, 1, 1, 1), 3), 4)).toEqual([])
  })

  it('are told of a later term before those of an earlier one that stand further on', () => {
    const { run, tell } = telling()
    run(2, 1, 'a')
    run(6, 1, 'z')
    run(4, 3, 'b')
    run(5, 3, 'c')
    const log = logOf(1, 1, 2, 3, 3)
    expect(tell(log, 4)).toEqual(['a 2@1', 'b 4@3'])
    expect(tell(log, 5)).toEqual(['c 5@3'])
  })

  it('are told of those only that are not settled yet', () => {
    const { run, tell } = telling()
    const added = run(2, 1, 'a', 'b')
    added.next = 3
    expect(tell(logOf(1, 1, 1), 3)).toEqual(['b 3@1'])
  })

  it('are told as the log was when they were, whatever was cut behind them', () => {
    const { run, tell } = telling()
    run(2, 1, 'a', 'b')
    const log = logOf(1, 1, 1)
    expect(tell(append(truncate(log, 2), [commands(3, 2, 'y')]), 2)).toEqual(['a 2@1'])
    expect(tell(append(truncate(log, 2), [commands(3, 2, 'y')]), 3)).toEqual([])
  })
})
