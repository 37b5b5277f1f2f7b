import { catchError, of, VirtualTimeScheduler, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { latency } from '../../adapters/transport/memory.ts'
import type { ChangeRefused } from '../../lib/errors.ts'
import type { Plan } from '../../lib/types.ts'
import type { ChangeProgress } from '../../operators/engine/node.ts'
import { propose } from '../../operators/propose.ts'
import { cluster } from '../../testing/index.ts'

/** Remembers every word, and tells how many there are. */
const words = {
  initial: [] as readonly string[],
  apply: (all: readonly string[], word: string) => [[...all, word], all.length + 1] as const,
  query: (all: readonly string[], _: 'count') => all.length,
}

/** Servers `ids` that have elected a leader, and others that belong to nothing. */
function start(ids: string, joining: string, snapshotEntries = 1_000) {
  const scheduler = new VirtualTimeScheduler()
  const servers = cluster({
    ids: [...ids],
    joining: [...joining],
    machine: words,
    electionTimeout: [40, 80],
    heartbeat: 10,
    link: () => latency(1, scheduler),
    snapshotEntries,
    snapshotTailBytes: 0,
    scheduler,
  })
  const running = servers.connect()
  const pass = (ms: number): void => {
    scheduler.maxFrames = scheduler.now() + ms
    scheduler.flush()
  }
  pass(300)
  const leader = (): string => latest(servers.leaders$).at(-1)!
  const votersOf = (id: string): string => latest(servers.node(id).members$).voters.join('')
  return { servers, running, pass, leader, votersOf }
}

type Started = ReturnType<typeof start>

function latest<T>(replayed$: Observable<T>): T {
  const values: T[] = []
  replayed$.subscribe((value) => values.push(value)).unsubscribe()
  return values.at(-1)!
}

/** What a change says until it is done or refused. */
function change(it: Started, id: string, plan: Plan): readonly unknown[] {
  const seen: (ChangeProgress | ChangeRefused)[] = []
  it.servers
    .node(id)
    .change(plan)
    .pipe(catchError((error: unknown) => of(error as ChangeRefused)))
    .subscribe((progress) => seen.push(progress))
  it.pass(2_000)
  return seen
}

/** Writes words one after another through the leader, and collects what they came to. */
function write(it: Started, ...all: readonly string[]): number[] {
  const results: number[] = []
  of(...all)
    .pipe(propose(it.servers.node(it.leader())))
    .subscribe((count) => results.push(count))
  it.pass(300)
  return results
}

const countOf = (it: Started, id: string): number => {
  const counts: number[] = []
  it.servers
    .node(id)
    .query('count')
    .subscribe((count) => counts.push(count))
  it.pass(300)
  return counts[0]!
}

describe('members', () => {
  it.each([
    ['the log', 1_000],
    ['a snapshot', 5],
  ])('come, and have everything that was written before, from %s', (_what, snapshotEntries) => {
    const it = start('abc', 'de', snapshotEntries)
    write(it, ...Array.from({ length: 20 }, (_, i) => `w${i}`))
    const seen = change(it, it.leader(), { voters: ['d', 'e'] })
    expect(seen).toContainEqual({ type: 'joint' })
    expect(seen.at(-1)).toMatchObject({ type: 'done' })
    for (const id of 'abcde') expect(it.votersOf(id)).toBe('abcde')
    expect([countOf(it, 'd'), countOf(it, 'e')]).toEqual([20, 20])
    it.running.unsubscribe()
  })

  it('go, the leader among them, and the others go on', () => {
    const it = start('abc', '')
    const gone = it.leader()
    const others = [...'abc'].filter((id) => id !== gone)
    expect(change(it, gone, { remove: [gone] }).at(-1)).toMatchObject({ type: 'done' })
    expect(others).toContain(it.leader())
    expect(it.votersOf(it.leader())).toBe(others.join(''))
    expect(write(it, 'x', 'y')).toEqual([1, 2])
    it.running.unsubscribe()
  })

  it('are all replaced, one by one, under writes, of which none fails', () => {
    const it = start('abc', 'def', 10)
    const results: number[] = []
    for (const [old, young] of ['ad', 'be', 'cf'].map((pair) => [...pair])) {
      results.push(...write(it, 'before'))
      const plan = { voters: [young!], remove: [old!] }
      expect(change(it, it.leader(), plan).at(-1)).toMatchObject({ type: 'done' })
      results.push(...write(it, 'after'))
    }
    expect(results).toEqual([1, 2, 3, 4, 5, 6])
    for (const id of 'def') expect(it.votersOf(id)).toBe('def')
    expect(countOf(it, 'd')).toBe(6)
    it.running.unsubscribe()
  })

  it('are refused by a follower, with the leader’s name', () => {
    const it = start('abc', 'd')
    const follower = [...'abc'].find((id) => id !== it.leader())!
    expect(change(it, follower, { voters: ['d'] })).toMatchObject([
      { code: 'change-refused', reason: 'notLeader', leader: it.leader(), outcome: 'none' },
    ])
    it.running.unsubscribe()
  })
})

describe('a leadership', () => {
  it('is handed over, and what is proposed meanwhile is told where to go', () => {
    const it = start('abc', '')
    const from = it.leader()
    const to = [...'abc'].find((id) => id !== from)!
    const seen: string[] = []
    const refused: unknown[] = []
    it.servers
      .node(from)
      .transfer(to)
      .subscribe((id) => seen.push(id))
    it.servers
      .node(from)
      .propose('x')
      .subscribe({ error: (error: unknown) => refused.push(error) })
    it.pass(500)
    expect([seen, it.leader()]).toEqual([[to], to])
    expect(refused).toMatchObject([{ code: 'not-leader', leader: to, outcome: 'none' }])
    expect(write(it, 'y')).toEqual([1])
    it.running.unsubscribe()
  })
})
