import type { Applied } from 'rxraft'
import { NEVER, Subject } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, it } from 'vitest'
import { History, type HistoryLimits } from '../../kv/history.ts'
import type { Command, Result } from '../../kv/machine.ts'

type Commit = Applied<Command, Result>

const written = (index: number, key = 'x', size = 1): Commit => {
  const command: Command = ['put', key, new Uint8Array(size), null]
  return { index, term: 1, command, ok: true, result: { ok: true, version: index } }
}

const failed = (index: number): Commit => {
  const result: Result = { ok: false, reason: 'condition', version: 0 }
  return { index, term: 1, command: ['put', 'x', new Uint8Array(1), 7], ok: true, result }
}

const threw = (index: number): Commit => {
  const command = ['touch'] as unknown as Command
  return { index, term: 1, command, ok: false, error: new Error('unknown') }
}

function record(commits: readonly Commit[], limits: HistoryLimits = {}): History {
  const commits$ = new Subject<Commit>()
  const history = new History({ commits$, restored$: NEVER }, limits)
  for (const commit of commits) commits$.next(commit)
  return history
}

/** The indexes that a reader finds who begins at `from`. */
function readFrom(history: History, from: number): (number | undefined)[] {
  const found = []
  for (let at = history.seek(from); at < history.end; at++) found.push(history.at(at)?.version)
  return found
}

it('holds writes that took effect, and no others', () => {
  const history = record([written(2), failed(3), threw(4), written(6), failed(9)])
  expect(readFrom(history, 1)).toEqual([2, 6])
  expect(history.first).toBe(1)
  expect(history.last).toBe(9)
})

it('is read from any index on', () => {
  const history = record([written(2), written(5), written(6)])
  expect(readFrom(history, 2)).toEqual([2, 5, 6])
  expect(readFrom(history, 3)).toEqual([5, 6])
  expect(readFrom(history, 6)).toEqual([6])
  expect(readFrom(history, 7)).toEqual([])
})

it('keeps the newest, however many there were, and tells from where on it is whole', () => {
  const commits = Array.from({ length: 1000 }, (_, i) => written(2 * i + 1))
  for (let count = 1; count <= commits.length; count++) {
    const history = record(commits.slice(0, count), { changes: 3 })
    const kept = commits.slice(Math.max(0, count - 3), count).map(({ index }) => index)
    expect(readFrom(history, 1)).toEqual(kept)
    expect(readFrom(history, history.first)).toEqual(kept)
    expect(history.first).toBe(count <= 3 ? 1 : 2 * (count - 4) + 2)
    if (count > 20) break
  }
  expect(readFrom(record(commits, { changes: 3 }), 1)).toEqual([1995, 1997, 1999])
})

it('keeps no more bytes than it may, yet the newest in any case', () => {
  const commits = [written(1, 'x', 9), written(2, 'x', 4), written(3, 'x', 4)]
  expect(readFrom(record(commits, { bytes: 10 }), 1)).toEqual([2, 3])
  expect(readFrom(record([...commits, written(4, 'x', 99)], { bytes: 10 }), 1)).toEqual([4])
})

it('has nothing at a position that it forgot, or that is to come', () => {
  const history = record(
    [1, 2, 3, 4, 5].map((index) => written(index)),
    { changes: 2 },
  )
  expect([0, 1, 2, 3, 4, 5].map((at) => history.at(at)?.version)).toEqual([
    undefined,
    undefined,
    undefined,
    4,
    5,
    undefined,
  ])
})

it('tells once of all that came together, and ends with the node', () => {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
  scheduler.run(({ hot, expectObservable }) => {
    const commits$ = hot<Commit>(' --(ab)-c--f-a-|', {
      a: written(1),
      b: written(2),
      c: written(3),
      f: failed(4),
    })
    expectObservable(new History({ commits$, restored$: NEVER }).grown$).toBe(
      '                            --g----g----g-|',
      { g: undefined },
    )
  })
})

describe('a snapshot that jumps over changes', () => {
  const jumped = () => {
    const commits$ = new Subject<Commit>()
    const restored$ = new Subject<number>()
    const history = new History({ commits$, restored$ })
    for (const index of [1, 2, 3]) commits$.next(written(index))
    const end = history.end
    restored$.next(9)
    return { history, commits$, restored$, end }
  }

  it('takes the place of all that was known', () => {
    const { history, commits$ } = jumped()
    expect([history.first, history.last]).toEqual([10, 9])
    commits$.next(written(12))
    expect(readFrom(history, history.first)).toEqual([12])
    expect(history.last).toBe(12)
  })

  it('leaves a hole for those who had read everything, and for those who had not', () => {
    const { history, commits$, end } = jumped()
    expect(history.end).toBe(end + 1)
    commits$.next(written(10))
    for (let at = 0; at <= end; at++) expect(history.at(at)).toBeUndefined()
    expect(history.at(end + 1)?.version).toBe(10)
  })

  it('is none when it stands for what was told already, as after a restart', () => {
    const { history, restored$ } = jumped()
    const { first, end } = history
    restored$.next(9)
    expect([history.first, history.end]).toEqual([first, end])
  })
})
