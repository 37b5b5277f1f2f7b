import { catchError, of, Subject, take, tap, VirtualTimeScheduler, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { memory, memoryDisk, type MemoryDisk } from '../../adapters/storage/memory.ts'
import { FormerWitness, NoState, type ChangeRefused, NotLeader } from '../../lib/errors.ts'
import type { DiskRequest } from '../../lib/storage.ts'
import type { Plan } from '../../lib/types.ts'
import { commitsFrom } from '../../operators/commitsFrom.ts'
import type { ChangeProgress, QueryOptions } from '../../operators/engine/node.ts'
import { cluster } from '../../testing/index.ts'
import { journal } from './support.ts'

/** Servers on disks that can be looked at, in a time that is moved by hand. `a` is the least patient. */
function start(ids: string, witnesses: string, joining = '') {
  const scheduler = new VirtualTimeScheduler()
  const disks = new Map<string, MemoryDisk>()
  const failures: unknown[] = []
  const crash$ = new Subject<string>()
  const restart$ = new Subject<string>()
  const all = [...ids, ...joining]
  /** All bytes that each disk was ever given. */
  const given = new Map<string, string>()
  const note = (id: string) => (request: DiskRequest) => {
    const bytes =
      request.type === 'save'
        ? request.batches.map((batch) => batch.bytes)
        : request.type === 'writeChunk'
          ? [request.bytes]
          : []
    given.set(id, `${given.get(id) ?? ''}${Buffer.concat(bytes).toString('latin1')}`)
  }
  const servers = cluster({
    ids: [...ids],
    witnesses: [...witnesses],
    joining: [...joining],
    machine: journal,
    snapshotEntries: 5,
    snapshotTailBytes: 0,
    electionTimeout: [60, 120],
    heartbeat: 20,
    random: (id) => () => all.indexOf(id) / all.length,
    storage: (id) => {
      const disk = memoryDisk()
      disks.set(id, disk)
      return (request$) => request$.pipe(tap(note(id)), memory(disk))
    },
    crash$,
    restart$,
    scheduler,
  })
  servers.failures$.subscribe(({ error }) => failures.push(error))
  const running = servers.connect()
  const pass = (ms: number): void => {
    scheduler.maxFrames = scheduler.now() + ms
    scheduler.flush()
  }
  pass(400)
  const leaders = (): string => latest(servers.leaders$).join('')
  const write = (id: string, ...words: readonly string[]): void => {
    for (const word of words) {
      servers.node(id).submit(word, { applied: () => undefined, failed: () => undefined })
      pass(10)
    }
    pass(100)
  }
  const change = (id: string, plan: Plan): ChangeProgress | ChangeRefused | undefined => {
    let last: ChangeProgress | ChangeRefused | undefined
    servers
      .node(id)
      .change(plan)
      .pipe(catchError((error: unknown) => of(error as ChangeRefused)))
      .subscribe((progress) => (last = progress))
    pass(2_000)
    return last
  }
  const ask = (id: string, options: QueryOptions = {}): unknown => {
    let answer: unknown
    const query$ = servers.node(id).query('all', { timeout: 500, ...options })
    query$.subscribe({
      next: (it) => (answer = it),
      error: (error: unknown) => (answer = error),
    })
    pass(600)
    return answer
  }
  return {
    ...{ servers, disks, failures, crash$, restart$, running, pass, leaders, write, change, ask },
    given: (id: string) => given.get(id) ?? '',
  }
}

function latest<T>(replayed$: Observable<T>): T {
  const values: T[] = []
  replayed$.pipe(take(1)).subscribe((value) => values.push(value))
  return values[0]!
}

describe('two full servers and a witness', () => {
  it('lose one of the two and go on', () => {
    const it = start('abc', 'c')
    it.write('a', 'x')
    it.crash$.next('b')
    it.write('a', 'y')
    expect(it.ask('a')).toBe('xy')
    it.restart$.next('b')
    it.pass(300)
    expect(it.ask('b', { consistency: 'stale' })).toBe('xy')
    it.running.unsubscribe()
  })

  it('lose their leader, and the other one leads', () => {
    const it = start('abc', 'c')
    it.write('a', 'x')
    it.crash$.next('a')
    it.pass(1_000)
    expect(it.leaders()).toBe('b')
    it.write('b', 'y')
    expect(it.ask('b')).toBe('xy')
    it.running.unsubscribe()
  })

  it('wait for the only one that has what is committed: the other does not win', () => {
    const it = start('abc', 'c')
    it.crash$.next('b')
    it.write('a', 'x')
    expect(it.ask('a')).toBe('x')
    it.crash$.next('a')
    it.restart$.next('b')
    it.pass(5_000)
    expect(it.leaders()).toBe('')
    it.restart$.next('a')
    it.pass(1_000)
    expect(it.leaders()).toBe('a')
    expect(it.ask('b')).toBe('x')
    it.running.unsubscribe()
  })

  it('lose the witness and go on, and it comes back', () => {
    const it = start('abc', 'c')
    it.crash$.next('c')
    it.write('a', ...'uvwxyz')
    it.restart$.next('c')
    it.pass(500)
    it.crash$.next('b')
    it.write('a', '!')
    expect(it.ask('a')).toBe('uvwxyz!')
    it.running.unsubscribe()
  })
})

describe('a witness', () => {
  it('has no word of what is written, through snapshots, restarts and elections', () => {
    const it = start('abc', 'c')
    it.write('a', ...'uvw')
    it.crash$.next('c')
    it.write('a', 'secret', ...'xyz')
    it.restart$.next('c')
    it.pass(500)
    it.crash$.next('a')
    it.pass(1_000)
    it.write('b', 'public')
    for (const word of ['secret', 'public']) {
      expect([it.given('b').includes(word), it.given('c').includes(word)]).toEqual([true, false])
    }
    const { snapshot } = it.disks.get('c')!.read()
    expect(snapshot?.index).toBeGreaterThan(3)
    it.running.unsubscribe()
  })

  it('answers no question, and says who may', () => {
    const it = start('abc', 'c')
    it.write('a', 'x')
    for (const consistency of ['linearizable', 'stale'] as const) {
      expect(it.ask('c', { consistency })).toEqual(new NoState('a'))
    }
    expect(() => it.servers.node('c').history(1)).toThrow(NoState)
    let end: unknown
    commitsFrom(it.servers.node('c'), 1).subscribe({ error: (error: unknown) => (end = error) })
    expect(end).toBeInstanceOf(NoState)
    it.running.unsubscribe()
  })

  it('takes no command in, and tells who leads', () => {
    const it = start('abc', 'c')
    let refusal: unknown
    const proposal$ = it.servers.node('c').propose('x')
    proposal$.subscribe({ error: (error: unknown) => (refusal = error) })
    it.pass(100)
    expect(refusal).toEqual(new NotLeader('a'))
    it.running.unsubscribe()
  })

  it('joins a cluster, behind its snapshot', () => {
    const it = start('ab', '', 'w')
    it.write('a', ...'uvwxyz')
    expect(it.change('a', { witnesses: ['w'] })).toMatchObject({ type: 'done' })
    expect(latest(it.servers.node('b').members$)).toMatchObject({
      ...{ voters: ['a', 'b', 'w'], witnesses: ['w'] },
    })
    it.crash$.next('b')
    it.write('a', '!')
    expect(it.ask('a')).toBe('uvwxyz!')
    it.running.unsubscribe()
  })

  it('is not made a full server; what once was one stops where it is to be one', () => {
    const it = start('abc', 'c')
    it.write('a', 'x')
    expect(it.change('a', { voters: ['c'] })).toMatchObject({
      ...{ code: 'change-refused', reason: 'witness', retryable: false, outcome: 'none' },
    })
    expect(it.change('a', { remove: ['c'] })).toMatchObject({ type: 'done' })
    expect(it.failures).toEqual([])
    it.change('a', { learners: ['c'] })
    expect(it.failures).toEqual([new FormerWitness('c')])
    it.restart$.next('c')
    it.pass(500)
    expect(it.failures).toEqual([new FormerWitness('c'), new FormerWitness('c')])
    it.running.unsubscribe()
  })
})
