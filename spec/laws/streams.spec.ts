import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import {
  concat,
  filter,
  firstValueFrom,
  from,
  fromEvent,
  interval,
  lastValueFrom,
  mergeMap,
  NEVER,
  Observable,
  of,
  Subject,
  Subscription,
  take,
  takeUntil,
  throwError,
  timer,
  toArray,
  VirtualTimeScheduler,
  type ObservableInput,
} from 'rxjs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { latency } from '../../adapters/transport/memory.ts'
import { Overloaded, Stopped, StorageError } from '../../lib/errors.ts'
import type { Restored } from '../../lib/storage.ts'
import type { Storage } from '../../operators/adapters.ts'
import type { Applied, RaftNode, Status } from '../../operators/engine/node.ts'
import type { RaftOptions } from '../../operators/engine/options.ts'
import { raft } from '../../operators/engine/raft.ts'
import { commitsFrom } from '../../operators/commitsFrom.ts'
import { propose } from '../../operators/propose.ts'
import { query } from '../../operators/query.ts'
import { whileLeader } from '../../operators/whileLeader.ts'
import { cluster } from '../../testing/index.ts'
import { temporaryDirectories } from '../adapters/storage/directories.ts'
import { uncaughtDuring } from '../operators/support.ts'

type Sum = RaftNode<number, number, 'total', number>

const sum = {
  initial: 0,
  apply: (total: number, by: number) => [total + by, total + by] as const,
  query: (total: number, _: 'total') => total,
}

const directory = temporaryDirectories()
const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')

let running = new Subscription()
afterEach(() => {
  running.unsubscribe()
  running = new Subscription()
})

/** A server alone that is soon elected, once it is connected. */
const alone = (options: Partial<RaftOptions<number, number, number, 'total', number>> = {}): Sum =>
  raft({ id: 'a', machine: sum, electionTimeout: [4, 8], heartbeat: 2, ...options })

const start = (node: Sum): Subscription => {
  const life = node.connect()
  running.add(life)
  return life
}

const elected = (node: Sum) => firstValueFrom(node.leader$.pipe(filter(Boolean)))

/** A server alone that leads. */
const leading = async (): Promise<Sum> => {
  const node = alone()
  start(node)
  await elected(node)
  return node
}

const resultOf = (node: Sum, command: number) => lastValueFrom(node.propose(command))
const totalOf = (node: Sum) => firstValueFrom(node.query('total'))

/** Everything that a stream emits, and how it ends. */
function record<T>(stream: Observable<T>): { values: T[]; end: unknown } {
  const seen: { values: T[]; end: unknown } = { values: [], end: undefined }
  stream.subscribe({
    next: (value) => seen.values.push(value),
    error: (error: unknown) => (seen.end = error),
    complete: () => (seen.end = 'complete'),
  })
  return seen
}

const streamsOf = ({ leader$, role$, members$, status$, commits$, trace$ }: Sum) =>
  [leader$, role$, members$, status$, commits$, trace$] as Observable<unknown>[]

/** Three servers 1 ms apart in virtual time, and who leads after a second. */
function three(seed = 1) {
  const scheduler = new VirtualTimeScheduler(undefined, 1000)
  const ids = ['a', 'b', 'c']
  const link = () => latency(1, scheduler)
  const servers = cluster({ ids, machine: sum, link, scheduler, seed })
  const traces = ids.map((id) => record(servers.watch(id, (node) => node.trace$)))
  running.add(servers.connect())
  scheduler.flush()
  return { servers, traces }
}

/** An Observable as an asynchronous iterable, whose end unsubscribes. */
async function* eachValueFrom<T>(stream: Observable<T>): AsyncGenerator<T> {
  const values: T[] = []
  let wake = (): void => undefined
  const subscription = stream.subscribe((value) => {
    values.push(value)
    wake()
  })
  try {
    for (;;) {
      while (values.length > 0) yield values.shift()!
      await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    subscription.unsubscribe()
  }
}

/** The files of the operators: those that are exported, and the one that two of them are made of. */
const operators = [
  ...[...read('operators/index.ts').matchAll(/^export \{ \w+ \} from '\.\/(.+)\.ts'$/gm)].map(
    ([, name]) => name!,
  ),
  'inOrder',
]

describe('the laws of the streams', () => {
  it('law 1: streams are hot and shared, and replay to a late subscriber at once', async () => {
    let count = 0
    const apply = (total: number, by: number) => {
      count++
      return sum.apply(total, by)
    }
    const node = alone({ machine: { ...sum, apply } })
    expect(start(node)).toBe(node.connect())
    await elected(node)
    const early = [record(node.commits$), record(node.commits$)]
    await resultOf(node, 5)
    expect(count).toBe(1)
    expect(early.map(({ values }) => values.length)).toEqual([1, 1])
    const late = streamsOf(node).map((stream) => record(stream).values.length)
    expect(late).toEqual([1, 1, 1, 1, 0, 0])

    const { servers } = three()
    const [leader] = await firstValueFrom(servers.leaders$)
    for (const id of servers.ids) {
      expect(record(servers.node(id).leader$).values).toMatchObject([{ id: leader }])
    }
  })

  it('law 2: streams complete when the node stops, and error with the cause when it fails', async () => {
    const node = await leading()
    const ends = streamsOf(node).map(record)
    node.connect().unsubscribe()
    expect(ends.map(({ end }) => end)).toEqual(ends.map(() => 'complete'))

    const lost = new StorageError('the disk is gone')
    const nothing: Restored = { type: 'restored', term: 0, vote: undefined, batches: [] }
    const storage: Storage = (saves) =>
      concat(of(nothing), saves.pipe(mergeMap(() => throwError(() => lost))))
    const failing = alone({ storage })
    const errors = streamsOf(failing).map(record)
    const proposal = lastValueFrom(from([1]).pipe(propose(failing))).catch((e: unknown) => e)
    start(failing)
    const stopped = await proposal
    expect(errors.map(({ end }) => end)).toEqual(errors.map(() => lost))
    expect(stopped).toBeInstanceOf(Stopped)
    expect(stopped).toMatchObject({ cause: lost })
  })

  it('law 3: unsubscribing everything leaves nothing, and the process exits by itself', async () => {
    const script = `
      import { filter, take } from 'rxjs'
      import { raft } from './operators/engine/raft.ts'
      import { file } from './adapters/storage/file.ts'
      import { tcp } from './adapters/transport/tcp.ts'
      const machine = { initial: 0, apply: (n, by) => [n + by, n + by], query: (n) => n }
      const storage = file(${JSON.stringify(directory())})
      const transport = tcp({ id: 'a', cluster: 'c', listen: '127.0.0.1:0', peers: {} })
      const node = raft({ id: 'a', machine, storage, transport })
      const watching = node.status$.subscribe()
      const life = node.connect()
      node.leader$.pipe(filter(Boolean), take(1)).subscribe(() => {
        watching.add(node.query(0, { timeout: 3_600_000 }).subscribe())
        watching.add(node.propose(2, { timeout: 3_600_000 }).subscribe({ complete: () => {
          console.log(process.getActiveResourcesInfo().join())
          setImmediate(() => {
            watching.unsubscribe()
            life.unsubscribe()
          })
        } }))
      })`
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
    const options = { cwd: root, timeout: 15_000 }
    const child = spawn(process.execPath, args, {
      ...options,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said, exit] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expect(said).toContain('TCP')
    expect(said).toContain('Timeout')
    expect(exit).toEqual([0, null])
  })

  it.each<[string, (node: Sum, own: Subscription) => void]>([
    ['proposes', (node) => node.submit(10, { applied: () => undefined, failed: () => undefined })],
    ['unsubscribes', (_, own) => own.unsubscribe()],
    ['stops the node', (node) => node.connect().unsubscribe()],
  ])('law 4: every observer sees the same when one of them %s', async (_, meddle) => {
    const node = await leading()
    const first = [record(node.trace$), record(node.commits$), record(node.status$)]
    const own = new Subscription()
    let isDone = false
    const meddleOnce = ({ command }: Applied<number, number>): void => {
      if (isDone || command !== 5) return
      isDone = true
      meddle(node, own)
    }
    own.add(node.commits$.subscribe(meddleOnce))
    const last = [record(node.trace$), record(node.commits$), record(node.status$)]
    last[2]!.values.shift() // Replayed to both, but of the same moment.
    first[2]!.values.shift()
    await resultOf(node, 5).catch(() => undefined)
    if (first[0]!.end === undefined) await resultOf(node, 7)
    node.connect().unsubscribe()
    expect(isDone).toBe(true)
    expect(first[1]!.values.length).toBeGreaterThan(0)
    expect(last).toEqual(first)
    const statuses = last[2]!.values as Status[]
    const applied = statuses.map(({ appliedIndex }) => appliedIndex)
    expect(applied).toEqual([...applied].sort((a, b) => a - b))
  })

  it('law 5: a subscriber that throws neither stalls nor kills the node; waiting is bounded', async () => {
    const broken = new Error('a broken subscriber')
    const node = await leading()
    const fail = (): never => {
      throw broken
    }
    const after = record(node.commits$)
    const broke = new Subscription()
    const thrown = await uncaughtDuring(async () => {
      for (const stream of streamsOf(node)) broke.add(stream.subscribe(fail))
      node.submit(1, { applied: fail, failed: fail, queued: fail, committed: fail })
      await resultOf(node, 2)
      broke.unsubscribe()
    })
    expect(thrown.length).toBeGreaterThanOrEqual(9)
    expect(new Set(thrown)).toEqual(new Set([broken]))
    expect(after).toMatchObject({ values: [{ result: 1 }, { result: 3 }], end: undefined })
    expect(await resultOf(node, 4)).toMatchObject({ result: 7 })

    // Nobody takes the commands of a node that has no leader: they wait within bounds, then say so.
    const fast$ = new Subject<number>()
    const idle = alone()
    const bounded = record(propose(idle, { concurrency: 4, buffer: 16 })(fast$))
    for (let i = 0; i < 20; i++) fast$.next(1)
    expect(bounded.end).toBeUndefined()
    fast$.next(1)
    expect(bounded.end).toBeInstanceOf(Overloaded)
    expect(fast$.observed).toBe(false)
    start(idle)
    await elected(idle)
    expect(await resultOf(idle, 3)).toMatchObject({ type: 'applied' })
  })

  it.each<[string, () => ObservableInput<number>]>([
    ['an array', () => [1, 2, 3]],
    ['an Observable', () => of(1, 2, 3)],
    ['a promise', () => Promise.resolve(6)],
    ['an async iterable', () => eachValueFrom(concat(of(1, 2, 3), NEVER).pipe(take(3)))],
    ['a Web stream', () => new Blob(['\x01\x02\x03']).stream().pipeThrough(bytesOf())],
  ])('law 6: a stream may be %s', async (_, source) => {
    const node = await leading()
    const results$ = propose(node)(source()).pipe(filter((total) => total === 6))
    expect(await firstValueFrom(results$)).toBe(6)
    expect(await firstValueFrom(query(node)(Promise.resolve('total' as const)))).toBe(6)
    const work$ = node.role$.pipe(whileLeader(source), take(1))
    expect([1, 6]).toContain(await firstValueFrom(work$))
  })

  it('law 7: a scheduler comes last with a default, and nothing asks behind its back', () => {
    const timed = operators.filter((name) => /: SchedulerLike/.test(read(`operators/${name}.ts`)))
    const without = (end: RegExp) => timed.filter((name) => !end.test(read(`operators/${name}.ts`)))
    expect(without(/: SchedulerLike( = \w+)?,?\s*\)/)).toEqual([])
    expect(without(/: SchedulerLike = \w+,?\s*\)/)).toEqual([])

    const clocks = [vi.spyOn(Date, 'now'), vi.spyOn(performance, 'now')]
    const timers = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'setInterval')]
    const forbidden = [vi.spyOn(Math, 'random'), ...clocks, ...timers]
    try {
      const [once, again] = [three(7).traces, three(7).traces]
      expect(forbidden.map((spy) => spy.mock.calls.length)).toEqual([0, 0, 0, 0, 0])
      expect(once[0]!.values.length).toBeGreaterThan(10)
      expect(again).toEqual(once)
    } finally {
      forbidden.forEach((spy) => spy.mockRestore())
    }
  })

  it('law 8: a fast source under propose(node) is slowed, not dropped, not buffered', async () => {
    const node = alone()
    let [taken, ahead] = [0, 0]
    const totals: number[] = []
    const ones = function* () {
      while (taken < 1000) {
        ahead = Math.max(ahead, ++taken - totals.length)
        yield 1
      }
    }
    const done = propose(node, { concurrency: 8 })(ones()).forEach((total) => totals.push(total))
    expect(taken).toBe(8) // No leader yet: it waits, and does not fail.
    start(node)
    await done
    expect(totals).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1))
    expect(ahead).toBe(8)
  })

  it('law 9: retry() and resubscription on a proposal apply it exactly once', async () => {
    const node = await leading()
    const proposal$ = node.propose(5)
    expect(await totalOf(node)).toBe(0)
    const first = await lastValueFrom(proposal$)
    expect(await lastValueFrom(proposal$)).toEqual(first)
    expect(await totalOf(node)).toBe(5)
    await lastValueFrom(node.propose(5))
    expect(await totalOf(node)).toBe(10)
  })

  it('law 10: firstValueFrom, for await and AbortSignal work as people expect', async () => {
    const node = await leading()
    expect(await firstValueFrom(node.propose(1))).toMatchObject({ type: 'queued' })
    expect(await resultOf(node, 1)).toMatchObject({ type: 'applied', result: 2 })

    const seen: number[] = []
    for await (const { command } of eachValueFrom(commitsFrom(node, 1))) {
      seen.push(command)
      if (seen.length < 4) node.submit(7, { applied: () => undefined, failed: () => undefined })
      if (seen.length === 4) break
    }
    expect(seen).toEqual([1, 1, 7, 7])

    const abort = new AbortController()
    const read$ = interval(1).pipe(mergeMap(() => node.query('total')))
    const answers$ = read$.pipe(takeUntil(fromEvent(abort.signal, 'abort')), toArray())
    timer(20).subscribe(() => abort.abort())
    expect((await lastValueFrom(answers$)).length).toBeGreaterThan(0)
    expect(await resultOf(node, 1)).toMatchObject({ type: 'applied' })
  })

  it('law 11: operators are pure until subscribed, reusable, and tear down their work', async () => {
    const node = await leading()
    const [log, operator] = [[] as string[], propose(node)]
    const source = (name: string) =>
      new Observable<number>((subscriber) => {
        log.push(`${name} on`)
        subscriber.next(1)
        return () => log.push(`${name} off`)
      })
    const [a$, b$] = [operator(source('a')), operator(source('b'))]
    const work$ = node.role$.pipe(whileLeader(() => source('work')))
    expect(log).toEqual([])
    expect(await totalOf(node)).toBe(0)
    const totals = await Promise.all([a$, b$, a$].map((total$) => firstValueFrom(total$)))
    expect(totals).toEqual([1, 2, 3])
    expect(await firstValueFrom(work$)).toBe(1)
    const count = (what: string): number => log.filter((line) => line.endsWith(what)).length
    expect([count(' on'), count(' off')]).toEqual([4, 4])

    work$.subscribe()
    node.connect().unsubscribe()
    expect([count('work on'), count('work off')]).toEqual([2, 2])
  })

  it.each(operators)('law 12: %s is drawn in marbles, and tested', (name) => {
    const docstrings = read(`operators/${name}.ts`).match(/\/\*\*[^]*?\*\//g) ?? []
    const drawings = docstrings.flatMap((it) => it.match(/```\n[^]*?```/g) ?? [])
    expect(drawings.some((drawing) => /^ \* \S.* .*-{2,}/m.test(drawing))).toBe(true)
    expect(read(`spec/operators/${name}.spec.ts`)).toMatch(
      new RegExp(`\\b${name.split('/').at(-1)!}[(<]`),
    )
  })
})

/** Bytes one by one. */
const bytesOf = () =>
  new TransformStream<Uint8Array, number>({
    transform: (chunk, controller) => chunk.forEach((byte) => controller.enqueue(byte)),
  })
