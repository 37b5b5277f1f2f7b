import { concatMap, map, mergeMap, pipe, retry, tap, timer } from 'rxjs'
import type { TestScheduler } from 'rxjs/testing'
import { describe, expect, it } from 'vitest'
import { memory } from '../../adapters/storage/memory.ts'
import { Overloaded } from '../../lib/errors.ts'
import { bytesAfter } from '../../lib/log.ts'
import type { DiskRequest } from '../../lib/storage.ts'
import type { NodeId } from '../../lib/types.ts'
import { raft } from '../../operators/engine/raft.ts'
import { propose } from '../../operators/propose.ts'
import { query } from '../../operators/query.ts'
import { marbles } from '../operators/support.ts'
import { sets, three, type Journal } from './support.ts'

/** Disks of some servers that take so many ms for one save after another, once somebody leads. */
const slowDisks = (scheduler: TestScheduler, ms: number, slow: string) => (id: NodeId) =>
  pipe(
    concatMap((request: DiskRequest) => {
      const isSlow = slow.includes(id) && scheduler.now() >= 12
      return timer(isSlow ? ms : 0, scheduler).pipe(map(() => request))
    }),
    memory(),
  )

const last = { apply: (_: string, word: string) => [word, word] as const, initial: '' }
const words = Array.from({ length: 100 }, (_, i) => `${i}`.padStart(96, '.'))
/** A command of these takes 102 bytes in the log: eleven are more than may wait. */
const limits = { maxUncommittedBytes: 1024, maxAppendBytes: 1024 }

/** The words that are proposed to a server from a moment on, as they are answered, and how it ends. */
function pour(servers: Journal, id: NodeId, at: number, scheduler: TestScheduler) {
  const heard: string[] = []
  scheduler.schedule(() => {
    propose(servers.node(id))(words).subscribe({
      next: (word) => heard.push(word),
      error: (error: unknown) => heard.push(String(error)),
      complete: () => heard.push('complete'),
    })
  }, at)
  return heard
}

/** The most that ever waited on a server to be saved by a quorum or applied, in bytes. */
function mostWaiting(servers: Journal, id: NodeId) {
  const most = { bytes: 0 }
  servers
    .watch(id, (node) => node.trace$)
    .subscribe((trace) => {
      if (trace.type !== 'step') return
      const { log, appliedIndex } = trace.step.state
      most.bytes = Math.max(most.bytes, bytesAfter(log, appliedIndex))
    })
  return most
}

describe('a fast source', () => {
  it.each([
    ['the disks of all are slow', 'abc', 'a'],
    ['the disks of the followers are slow', 'bc', 'a'],
    // Everything that it took in is applied, and its own disk does not have it.
    ['the leader’s own disk is slow', 'a', 'a'],
    ['the disks of all are slow and a follower passes it on', 'abc', 'c'],
    ['the leader’s own disk is slow and a follower passes it on', 'a', 'c'],
  ])('waits instead of failing where %s [bug 52]', (_, slow, to) => {
    let heard: string[] = []
    let most = { bytes: 0 }
    marbles(({ hot }, scheduler) => {
      const storage = slowDisks(scheduler, 20, slow)
      const servers = three(scheduler, { machine: last, storage, forward: true, ...limits })
      heard = pour(servers, to, 20, scheduler)
      most = mostWaiting(servers, 'a')
      servers.connect(hot('4s |'))
    })
    expect(heard).toEqual([...words, 'complete'])
    expect(most.bytes).toBeGreaterThan(1024)
    expect(most.bytes).toBeLessThan(2 * 1024 + 102)
  })
})

describe('a loop that never waits', () => {
  const alone = {
    id: 'a',
    machine: last,
    ...limits,
    electionTimeout: [6, 12] as const,
    heartbeat: 3,
  }

  it('is refused at once when so much is gathered, and told when there is room [bug 52]', () => {
    const told: unknown[] = []
    let refused = 0
    marbles((_, scheduler) => {
      const node = raft({ ...alone, scheduler, turns: scheduler })
      const count = { applied: () => told.push('applied'), failed: () => refused++ }
      const running = node.connect()
      const submitAll = (): void => {
        for (let i = 0; i < 100_000; i++) node.submit(words[0]!, count)
        told.push(refused)
      }
      node.room$.subscribe({ next: () => told.push('room'), complete: () => told.push('end') })
      scheduler.schedule(submitAll, 20)
      scheduler.schedule(() => node.submit(words[0]!, count), 30)
      scheduler.schedule(() => running.unsubscribe(), 40)
    })
    // Two batches of ten.
    const applied = Array<string>(20).fill('applied')
    expect(told).toEqual([100_000 - 20, 'room', ...applied, 'applied', 'end'])
    expect(refused).toBe(100_000 - 20)
  })

  it('of propose() errors with Overloaded, and a retry succeeds [bug 52]', () => {
    const ends: string[] = []
    marbles((_, scheduler) => {
      const node = raft({ ...alone, scheduler, turns: scheduler })
      const running = node.connect()
      const proposeAll = (): void => {
        for (let i = 0; i < 30; i++) {
          const proposed$ = node
            .propose(words[i]!)
            .pipe(tap({ error: (error: unknown) => ends.push((error as Error).name) }), retry(20))
          proposed$.subscribe({ complete: () => ends.push('applied') })
        }
      }
      scheduler.schedule(proposeAll, 20)
      scheduler.schedule(() => running.unsubscribe(), 400)
    })
    expect(ends).toContain('Overloaded')
    expect(ends.filter((end) => end === 'applied')).toHaveLength(30)
  })
})

describe('queries', () => {
  const cut = { partitions$: [[['a'], ['b'], ['c']]], maxOpenQueries: 2 }

  it('beyond those that may wait are refused at once, whatever they wait for [bug 52]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const asked = '  --a-b-c---------|'
      const refused = '------#'
      const kinds = { a: 'linearizable', b: { atLeast: 9 }, c: { within: 5 } } as const
      const servers = three(scheduler, cut)
      const answer$ = hot(asked, kinds).pipe(
        mergeMap((consistency) => servers.node('a').query('all', { consistency })),
      )
      const error = new Overloaded('2 questions wait already: try again later')
      expectObservable(answer$).toBe(refused, undefined, error)
      servers.connect(hot('         ----------------|'))
    })
  })

  it('through the operator wait, and are answered one round trip later [bug 52]', () => {
    const answered: number[] = []
    marbles(({ hot, expectObservable }, scheduler) => {
      const asked = '--(abc)-------------|'
      const leads = 'n---------a---------|'
      const end = '  --------------------|'
      const servers = three(scheduler, { maxOpenQueries: 2 })
      expectObservable(servers.leaders$).toBe(leads, sets)
      const all$ = hot(asked).pipe(map(() => 'all' as const))
      query(servers.node('a'))(all$).subscribe(() => answered.push(scheduler.now()))
      servers.connect(hot(end))
    })
    expect(answered).toEqual([12, 12, 14])
  })
})
