import { Subject, take, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { memory, memoryDisk, type MemoryDisk } from '../../adapters/storage/memory.ts'
import { Overtaken, type Compacted } from '../../lib/errors.ts'
import type { NodeId } from '../../lib/types.ts'
import { commitsFrom } from '../../operators/commitsFrom.ts'
import type { Status } from '../../operators/engine/node.ts'
import type { Machine } from '../../operators/machine.ts'
import { cluster, type ClusterOptions } from '../../testing/index.ts'

type Words = readonly string[]
type WordMachine = Machine<Words, string, number, 'all', Words>

/** The whole state is one piece. */
const plain: WordMachine = {
  initial: [],
  apply: (words, word) => [[...words, word], words.length + 1],
  query: (words) => words,
}

/** A word is a piece. */
const pieced: WordMachine = {
  ...plain,
  snapshot: (words) => words,
  restore: (words, word) => [...words, word as string],
}

type Options = Partial<ClusterOptions<Words, string, number, 'all', Words>>

/** Three servers on disks that can be looked at, in a time that is moved by hand. */
function three(options: Options = {}) {
  const scheduler = new VirtualTimeScheduler()
  const disks = new Map<NodeId, MemoryDisk>()
  const failures: unknown[] = []
  const servers = cluster<Words, string, number, 'all', Words>({
    ids: ['a', 'b', 'c'],
    machine: plain,
    snapshotEntries: 5,
    snapshotTailBytes: 0,
    electionTimeout: [60, 120],
    heartbeat: 20,
    random: (id) => () => ({ a: 0, b: 0.5, c: 0.9 })[id]!,
    storage: (id) => {
      const disk = memoryDisk()
      disks.set(id, disk)
      return memory(disk)
    },
    scheduler,
    ...options,
  })
  servers.failures$.subscribe(({ error }) => failures.push(error))
  const running = servers.connect()
  let now = 0
  const pass = (ms: number): void => {
    scheduler.maxFrames = now += ms
    scheduler.flush()
  }
  const write = (id: NodeId, ...words: readonly string[]): void => {
    for (const word of words) {
      servers.node(id).submit(word, { applied: () => undefined, failed: () => undefined })
      pass(5)
    }
  }
  const stateOf = (id: NodeId): Words | undefined => {
    let state: Words | undefined
    servers
      .node(id)
      .query('all', { consistency: 'stale' })
      .subscribe((words) => (state = words))
    return state
  }
  const statusOf = (id: NodeId): Status => {
    const seen: Status[] = []
    servers
      .node(id)
      .status$.pipe(take(1))
      .subscribe((status) => seen.push(status))
    return seen[0]!
  }
  return { servers, disks, failures, running, pass, write, stateOf, statusOf, scheduler }
}

const words = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `w${from + i}`)

describe.each([
  ['of one piece', plain],
  ['of many pieces', pieced],
])('a state %s', (_, machine) => {
  it('reaches a server that was away while the others compacted [F4][bug 47]', () => {
    const crash$ = new Subject<NodeId>()
    const restart$ = new Subject<NodeId>()
    const { servers, pass, write, stateOf, statusOf, failures, disks, running } = three({
      ...{ machine, crash$, restart$ },
    })
    pass(300)
    write('a', ...words(1, 3))
    crash$.next('c')
    write('a', ...words(4, 30))
    expect(statusOf('a').snapshotIndex).toBeGreaterThan(20)
    const jumps: number[] = []
    servers.watch('c', (node) => node.restored$).subscribe((index) => jumps.push(index))
    restart$.next('c')
    pass(500)
    expect(failures).toEqual([])
    expect(stateOf('c')).toEqual(words(1, 30))
    expect(statusOf('c')).toMatchObject({ snapshotIndex: statusOf('a').snapshotIndex })
    expect(jumps.at(-1)).toBe(statusOf('a').snapshotIndex)
    expect(disks.get('c')!.snapshot?.mark.index).toBe(statusOf('c').snapshotIndex)
    write('a', ...words(31, 33))
    expect(stateOf('c')).toEqual(words(1, 33))
    running.unsubscribe()
  })

  it('outlives the restart of every server, and goes on from where it was [bug 62]', () => {
    const crash$ = new Subject<NodeId>()
    const restart$ = new Subject<NodeId>()
    const { pass, write, stateOf, statusOf, failures, disks, running } = three({
      ...{ machine, crash$, restart$ },
    })
    pass(300)
    write('a', ...words(1, 23))
    for (const id of ['a', 'b', 'c']) crash$.next(id)
    for (const disk of disks.values()) {
      const { snapshot, batches } = disk.read()
      expect(snapshot!.index).toBeGreaterThan(15)
      expect(batches[0]?.index ?? snapshot!.index + 1).toBe(snapshot!.index + 1)
    }
    for (const id of ['a', 'b', 'c']) restart$.next(id)
    pass(500)
    write('a', ...words(24, 26))
    expect(failures).toEqual([])
    for (const id of ['a', 'b', 'c']) {
      expect(stateOf(id)).toEqual(words(1, 26))
      expect(statusOf(id).snapshotIndex).toBeGreaterThan(15)
    }
    running.unsubscribe()
  })
})

describe('a follower that is a little behind', () => {
  it('gets entries and no snapshot when a tail of the log stays', () => {
    const crash$ = new Subject<NodeId>()
    const restart$ = new Subject<NodeId>()
    const { servers, pass, write, stateOf, statusOf, running } = three({
      ...{ crash$, restart$, snapshotTailBytes: 100_000 },
    })
    pass(300)
    write('a', 'w1')
    crash$.next('c')
    write('a', ...words(2, 30))
    const jumps: number[] = []
    servers.watch('c', (node) => node.restored$).subscribe((index) => jumps.push(index))
    restart$.next('c')
    pass(500)
    expect(stateOf('c')).toEqual(words(1, 30))
    expect(jumps).toEqual([])
    expect(statusOf('a').snapshotIndex).toBeGreaterThan(20)
    running.unsubscribe()
  })
})

describe('whoever follows the commits', () => {
  it('from before the log begins is told Compacted, and where it begins', () => {
    const { servers, pass, write, running } = three()
    pass(300)
    write('a', ...words(1, 12))
    const heard: unknown[] = []
    commitsFrom(servers.node('a'), 1).subscribe({ error: (error: unknown) => heard.push(error) })
    expect(heard).toMatchObject([{ code: 'compacted', index: 1 }])
    const { firstIndex } = heard[0] as Compacted
    const from: string[] = []
    commitsFrom(servers.node('a'), firstIndex).subscribe(({ command }) => from.push(command))
    write('a', 'more')
    expect(from.at(-1)).toBe('more')
    expect(words(1, 12)).toEqual(expect.arrayContaining(from.slice(0, -1)))
    running.unsubscribe()
  })

  it('on a server that a snapshot carries over some of them is told Compacted, not left with a gap', () => {
    const cuts$ = new Subject<readonly (readonly [NodeId, NodeId])[]>()
    const { servers, pass, write, running } = three({ cuts$ })
    pass(300)
    write('a', ...words(1, 3))
    const seen: string[] = []
    const errors: unknown[] = []
    commitsFrom(servers.node('c'), 1).subscribe({
      next: ({ command }) => seen.push(command),
      error: (error: unknown) => errors.push(error),
    })
    const early: unknown[] = []
    commitsFrom(servers.node('c'), 1000).subscribe({
      error: (error: unknown) => early.push(error),
    })
    const live: string[] = []
    servers.node('c').commits$.subscribe(({ command }) => live.push(command))
    cuts$.next([
      ['a', 'c'],
      ['b', 'c'],
      ['c', 'a'],
      ['c', 'b'],
    ])
    write('a', ...words(4, 30))
    cuts$.next([])
    pass(500)
    write('a', 'w31')
    expect(seen).toEqual(words(1, 3))
    expect(errors).toMatchObject([{ code: 'compacted' }])
    expect(early).toEqual([])
    expect(live.at(-1)).toBe('w31')
    expect(live).not.toContain('w10')
    running.unsubscribe()
  })
})

describe('a deposed leader that gets a snapshot', () => {
  it('settles every proposal of its own, with an outcome that nobody knows [bug 50]', () => {
    const cuts$ = new Subject<readonly (readonly [NodeId, NodeId])[]>()
    const { servers, pass, write, stateOf, running } = three({ cuts$, checkQuorum: false })
    pass(300)
    write('a', ...words(1, 3))
    cuts$.next([
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'a'],
      ['c', 'a'],
    ])
    const heard: unknown[] = []
    for (const word of ['x', 'y']) {
      servers.node('a').submit(word, {
        applied: (result) => heard.push(result),
        failed: (error) => heard.push(error),
      })
    }
    pass(500)
    expect(heard).toEqual([])
    write('b', ...words(4, 30))
    cuts$.next([])
    pass(500)
    expect(stateOf('a')).toEqual(words(1, 30))
    expect(heard).toHaveLength(2)
    expect(heard[0]).toBeInstanceOf(Overtaken)
    expect(heard).toMatchObject([{ outcome: 'unknown' }, { outcome: 'unknown' }])
    running.unsubscribe()
  })
})

describe('node.snapshot()', () => {
  const never = { snapshotEntries: 1_000_000 }

  it('takes one when it is subscribed to, and emits what it stands for when it is durable', () => {
    const { servers, pass, write, statusOf, disks, running } = three(never)
    pass(300)
    write('a', ...words(1, 3))
    expect(statusOf('a').snapshotIndex).toBe(0)
    const heard: unknown[] = []
    const complete = (): void => void heard.push('complete')
    const snapshot$ = servers.node('a').snapshot()
    pass(10)
    expect(disks.get('a')!.snapshot).toBeUndefined()
    snapshot$.subscribe({ next: (index) => heard.push(index), complete })
    pass(10)
    expect(heard).toEqual([statusOf('a').appliedIndex, 'complete'])
    expect(statusOf('a').snapshotIndex).toBe(heard[0])
    expect(disks.get('a')!.snapshot?.mark.index).toBe(heard[0])
    running.unsubscribe()
  })

  it('works on any server, for several at once, and again when there is more', () => {
    const { servers, pass, write, running } = three(never)
    pass(300)
    write('a', ...words(1, 3))
    pass(50)
    const heard: number[] = []
    const snapshot$ = servers.node('c').snapshot()
    snapshot$.subscribe((index) => heard.push(index))
    snapshot$.subscribe((index) => heard.push(index))
    pass(10)
    snapshot$.subscribe((index) => heard.push(index))
    pass(10)
    expect(new Set(heard).size).toBe(1)
    write('a', 'more')
    pass(50)
    snapshot$.subscribe((index) => heard.push(index))
    pass(10)
    expect(heard).toEqual([heard[0], heard[0], heard[0], heard[0]! + 1])
    running.unsubscribe()
  })

  it('errors with Stopped when the node is not running, or stops before it is durable', () => {
    const { servers, pass, running } = three(never)
    pass(300)
    const { node } = servers
    running.unsubscribe()
    const heard: unknown[] = []
    node('a')
      .snapshot()
      .subscribe({ error: (error: unknown) => heard.push(error) })
    expect(heard).toMatchObject([{ code: 'stopped' }])
  })

  it('waits for nothing where nothing was applied', () => {
    const { servers, pass, running } = three(never)
    const heard: number[] = []
    servers
      .node('a')
      .snapshot()
      .subscribe((index) => heard.push(index))
    pass(10)
    expect(heard).toEqual([0])
    running.unsubscribe()
  })
})

describe('a machine that gives its pieces later', () => {
  it('holds up no commit: the state goes on while its snapshot is taken', async () => {
    const waiting: (() => void)[] = []
    const machine: WordMachine = {
      ...pieced,
      async *snapshot(all) {
        for (const word of all) {
          await new Promise<void>((resolve) => waiting.push(resolve))
          yield word
        }
      },
    }
    const { servers, pass, write, stateOf, disks, running } = three({
      ...{ machine, snapshotEntries: 1_000_000 },
    })
    pass(300)
    write('a', ...words(1, 3))
    const heard: number[] = []
    servers
      .node('a')
      .snapshot()
      .subscribe((index) => heard.push(index))
    write('a', ...words(4, 6))
    expect(stateOf('a')).toEqual(words(1, 6))
    expect(heard).toEqual([])
    for (let i = 0; i < 50 && heard.length === 0; i++) {
      waiting.splice(0).forEach((go) => go())
      await Promise.resolve()
      pass(5)
    }
    const { mark } = disks.get('a')!.snapshot!
    expect(heard).toEqual([mark.index])
    expect(stateOf('a')).toEqual(words(1, 6))
    expect(
      servers
        .node('a')
        .history(mark.index + 1)
        .map(({ command }) => command),
    ).toEqual(words(4, 6))
    running.unsubscribe()
  })
})
