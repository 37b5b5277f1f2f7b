import { concat, filter, lastValueFrom, map, of, Subject } from 'rxjs'
import { expect, it } from 'vitest'
import { StorageError } from '../../lib/errors.ts'
import type { Restored } from '../../lib/storage.ts'
import type { Storage } from '../../operators/adapters.ts'
import { raft } from '../../operators/engine/raft.ts'
import { propose } from '../../operators/propose.ts'
import { HandClock, uncaughtDuring } from '../operators/support.ts'

const sum = {
  initial: 0,
  apply: (total: number, by: number) => [total + by, total + by] as const,
  query: (total: number, _: 'total') => total,
}
const quick = { id: 'a', machine: sum, electionTimeout: [4, 8], heartbeat: 2 } as const
const nothing: Restored = { type: 'restored', term: 0, vote: undefined, batches: [] }
const lost = new StorageError('the disk is gone')
const caught = (error: unknown): unknown => error

it('law 2: what is under way when a node fails errors with the cause', async () => {
  const trouble$ = new Subject<Restored>()
  const node = raft({ ...quick, storage: () => trouble$ })
  node.connect()
  const early = [node.propose(5), node.query('total')].map((it$) =>
    lastValueFrom<unknown>(it$).catch(caught),
  )
  trouble$.error(lost)
  const none = { code: 'stopped', outcome: 'none', cause: lost }
  expect(await Promise.all(early)).toMatchObject([none, none])
})

it.each([
  ['a command that was on its way to the disk may still take effect', 2, 'unknown'],
  ['a command whose session was on its way to the disk has no effect', 1, 'none'],
] as const)('law 2: %s', async (_, fatal, outcome) => {
  const storage: Storage = (saves) => {
    let requests = 0
    const saved$ = saves.pipe(
      filter((request) => request.type === 'save'),
      map(({ sequence, term, batches }) => {
        if (batches.some(({ kind }) => kind === 'request') && ++requests === fatal) throw lost
        return { type: 'saved', sequence, term } as const
      }),
    )
    return concat(of(nothing), saved$)
  }
  const clock = new HandClock()
  const node = raft({ ...quick, storage, scheduler: clock, turns: clock })
  node.connect()
  clock.run(20)
  const proposal = lastValueFrom(node.propose(5)).catch(caught)
  clock.run(25)
  expect(await proposal).toMatchObject({ code: 'stopped', outcome, cause: lost })
})

it.each(['a leader', 'a follower'])('law 3: %s that is stopped leaves no timer', (role) => {
  const clock = new HandClock()
  const node = raft({ ...quick, scheduler: clock, turns: clock })
  const running = node.connect()
  clock.run(role === 'a leader' ? 20 : 1)
  const ended: unknown[] = []
  const error = (reason: unknown): unknown => ended.push(reason)
  node.propose(5, { timeout: 1000 }).subscribe({ error })
  node.query('total', { timeout: 2000 }).subscribe({ error })
  expect(clock.pending).toBeGreaterThan(2)
  running.unsubscribe()
  expect(ended).toMatchObject([{ code: 'stopped' }, { code: 'stopped' }])
  expect(clock.pending).toBe(0)
})

it('law 3: a proposal and a question that are given up leave no timer', () => {
  const clock = new HandClock()
  const node = raft({ ...quick, scheduler: clock, turns: clock })
  const running = node.connect()
  clock.run(1)
  const before = clock.pending
  const asked = node.query('total', { timeout: 2000 }).subscribe()
  asked.add(node.propose(5, { timeout: 1000 }).subscribe({ error: () => undefined }))
  clock.run(2)
  expect(clock.pending).toBeGreaterThan(before)
  asked.unsubscribe()
  expect(clock.pending).toBe(before)
  running.unsubscribe()
})

it('law 5: whoever throws takes nothing from those beside', async () => {
  const clock = new HandClock()
  const node = raft({ ...quick, scheduler: clock, turns: clock })
  const running = node.connect()
  clock.run(20)
  const broken = new Error('a broken callback')
  const fail = (): never => {
    throw broken
  }
  const seen: string[] = []
  const note = (what: string) => () => void seen.push(what)
  const failing = { queued: fail, committed: fail, applied: fail, failed: fail }
  const noting = {
    queued: note('queued'),
    committed: note('committed'),
    applied: note('applied'),
    failed: note('failed'),
  }
  const thrown = await uncaughtDuring(() => {
    for (const settle of [failing, noting]) node.submit(1, settle)
    clock.run(25)
    for (const settle of [failing, noting]) node.submit(2, settle)
    running.unsubscribe()
  })
  expect(seen).toEqual(['queued', 'committed', 'applied', 'failed'])
  expect(thrown).toEqual([broken, broken, broken, broken])
})

it('law 8: an asynchronous iterable under propose(node) is read no faster than it is answered', async () => {
  const node = raft(quick)
  let [taken, ahead, answered] = [0, 0, 0]
  async function* ones() {
    for (; taken < 100; await Promise.resolve()) {
      ahead = Math.max(ahead, ++taken - answered)
      yield 1
    }
  }
  const done = propose(node, { concurrency: 8 })(ones()).forEach(() => answered++)
  const running = node.connect()
  await done
  expect(answered).toBe(100)
  // One more than may be in flight is asked for ahead.
  expect(ahead).toBeLessThanOrEqual(9)
  running.unsubscribe()
})
