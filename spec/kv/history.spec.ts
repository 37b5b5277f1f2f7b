import type { Trace } from 'rxraft'
import { NEVER, Subject } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, it } from 'vitest'
import { LENGTH_BYTES } from '../../lib/batch.ts'
import { commandCodec } from '../../kv/codec.ts'
import { History, type HistoryLimits } from '../../kv/history.ts'
import type { Command, Result } from '../../kv/machine.ts'
import { traced, type Commit } from './traced.ts'

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
  const trace$ = new Subject<Trace>()
  const history = new History({ trace$, restored$: NEVER }, limits)
  for (const commit of commits) trace$.next(traced(commit))
  return history
}

/** Bytes of it in the log. */
const sizeOf = ({ command }: Commit): number => LENGTH_BYTES + commandCodec().encode(command).length

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

it('keeps no more bytes of the log than it may, yet the newest in any case', () => {
  const commits = [written(1, 'x', 9), written(2, 'x', 4), written(3, 'x', 4)]
  const bytes = 2 * sizeOf(commits[2]!)
  expect(readFrom(record(commits, { bytes }), 1)).toEqual([2, 3])
  expect(readFrom(record(commits, { bytes: bytes - 1 }), 1)).toEqual([3])
  expect(readFrom(record([...commits, written(4, 'x', 99)], { bytes }), 1)).toEqual([4])
})

describe('a batch of the log', () => {
  const expired = (index: number, keys: readonly string[]): Commit => {
    const result: Result = { ok: true, version: index, expired: keys }
    return { index, term: 1, command: ['time', 1], ok: true, result }
  }
  const deleted = (index: number): Commit => {
    const result: Result = { ok: true, version: index }
    return { index, term: 1, command: ['delete', 'x', null], ok: true, result }
  }
  const named = (index: number, first?: number): Commit => {
    const command: Command = ['once', 'name', 'digest', ['put', 'y', new Uint8Array(2), null]]
    const at = first === undefined ? {} : { first: { index: first, term: 1 } }
    return { index, term: 1, command, ok: true, result: { ok: true, version: index, ...at } }
  }
  const recordAll = (commits: readonly Commit[], limits?: HistoryLimits) => {
    const trace$ = new Subject<Trace>()
    const history = new History({ trace$, restored$: NEVER }, limits)
    trace$.next(traced(...commits))
    return { history, trace$ }
  }

  it('has each change in it, of whatever kind, and nothing of what had no effect', () => {
    const all = [
      ...[failed(3), written(4), threw(5), expired(6, ['p', 'q']), expired(7, [])],
      ...[named(8), named(9, 8), deleted(10), expired(11, ['r']), failed(12)],
    ]
    const { history } = recordAll(all)
    const [from, to] = [history.seek(1), history.end]
    expect(Array.from({ length: to - from }, (_, i) => history.at(from + i))).toEqual([
      { type: 'put', key: 'x', value: new Uint8Array(1), version: 4 },
      { type: 'delete', key: 'p', version: 6, expired: true, more: true },
      { type: 'delete', key: 'q', version: 6, expired: true },
      { type: 'put', key: 'y', value: new Uint8Array(2), version: 8 },
      { type: 'delete', key: 'x', version: 10 },
      { type: 'delete', key: 'r', version: 11, expired: true },
    ])
    expect(history.last).toBe(12)
    expect([4, 5, 7, 11, 12, 13].map((index) => history.at(history.seek(index))?.version)).toEqual([
      ...[4, 6, 8, 11, undefined, undefined],
    ])
  })

  it('is kept as a whole, as long as one of the newest changes is in it', () => {
    const { history, trace$ } = recordAll([written(1), written(2), written(3)], { changes: 2 })
    expect(readFrom(history, 1)).toEqual([1, 2, 3])
    trace$.next(traced(written(4)))
    expect(readFrom(history, 1)).toEqual([1, 2, 3, 4])
    trace$.next(traced(written(5), failed(6)))
    expect(readFrom(history, 1)).toEqual([4, 5])
    expect([history.first, history.last]).toEqual([4, 6])
  })

  it('may be read in any order', () => {
    const { history, trace$ } = recordAll([written(1), written(2)])
    trace$.next(traced(written(5), written(6)))
    expect([3, 0, 2, 1, 3].map((at) => history.at(at)?.version)).toEqual([6, 1, 5, 2, 6])
  })
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
    const trace$ = hot<Trace>('  --(ab)-c--f-a-|', {
      a: traced(written(1)),
      b: traced(written(2)),
      c: traced(written(3)),
      f: traced(failed(4)),
    })
    expectObservable(new History({ trace$, restored$: NEVER }).grown$).toBe(
      '                           --g----g----g-|',
      { g: undefined },
    )
  })
})

describe('a snapshot that jumps over changes', () => {
  const jumped = () => {
    const trace$ = new Subject<Trace>()
    const restored$ = new Subject<number>()
    const history = new History({ trace$, restored$ })
    for (const index of [1, 2, 3]) trace$.next(traced(written(index)))
    const end = history.end
    restored$.next(9)
    return { history, trace$, restored$, end }
  }

  it('takes the place of all that was known', () => {
    const { history, trace$ } = jumped()
    expect([history.first, history.last]).toEqual([10, 9])
    trace$.next(traced(written(12)))
    expect(readFrom(history, history.first)).toEqual([12])
    expect(history.last).toBe(12)
  })

  it('leaves a hole for those who had read everything, and for those who had not', () => {
    const { history, trace$, end } = jumped()
    expect(history.end).toBe(end + 1)
    trace$.next(traced(written(10)))
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
