import { memory, memoryDisk } from 'rxraft/storage/memory'
import { firstValueFrom, merge, of, Subject, type Observable } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Applied, RoleStatus } from 'rxraft'
import { Clock } from '../../kv/clock.ts'
import { passTime } from '../../kv/expiry.ts'
import { MAX_EXPIRED, store, type Command, type Result, type Store } from '../../kv/machine.ts'
import { aNumber, containing, eventually, start, stopAll, type Running } from './support.ts'

afterEach(() => {
  vi.restoreAllMocks()
  stopAll()
})

const value = Buffer.from('v')

const put = (key: string, ttl: number, at: number): Command => [
  'put',
  key,
  value,
  null,
  { ttl, at },
]

/** Applies commands at indexes 1, 2, 3 … */
function play(...commands: Command[]): { state: Store; results: Result[] } {
  let state = store.initial
  const results = commands.map((command) => {
    const [next, result] = store.apply(state, command, { index: state.index + 1, term: 1 })
    state = next
    return result
  })
  return { state, results }
}

const keysOf = (state: Store): string[] =>
  store.query!(state, { type: 'list', prefix: '', after: '', limit: 9999, bytes: 9999 }).items.map(
    ({ key }) => key,
  )

describe('a key that expires', () => {
  it('goes with the first entry that says that its time has come, and not before [F27]', () => {
    const { state, results } = play(put('x', 100, 0), ['time', 99])
    expect(results[1]).toEqual({ ok: true, version: 2, expired: [] })
    expect(keysOf(state)).toEqual(['x'])
    const later = play(put('x', 100, 0), ['time', 99], ['time', 100])
    expect(later.results[2]).toEqual({ ok: true, version: 3, expired: ['x'] })
    expect(keysOf(later.state)).toEqual([])
  })

  it('is there for conditions until it goes, and then absent', () => {
    const absent: Command = ['put', 'x', value, 'absent']
    const { results } = play(put('x', 100, 0), absent, ['time', 100], absent)
    expect(results[1]).toEqual({ ok: false, reason: 'condition', version: 1 })
    expect(results[3]).toEqual({ ok: true, version: 4 })
  })

  it('lives on under another life, or for ever, when it is written again', () => {
    const again = play(put('x', 100, 0), put('x', 100, 50), ['time', 100])
    expect(keysOf(again.state)).toEqual(['x'])
    expect(play(put('x', 100, 0), put('x', 100, 50), ['time', 150]).results[2]).toMatchObject({
      expired: ['x'],
    })
    const forEver = play(put('x', 100, 0), ['put', 'x', value, null], ['time', 1e12])
    expect(keysOf(forEver.state)).toEqual(['x'])
    expect(store.query!(forEver.state, { type: 'clock' }).next).toBeUndefined()
  })

  it('that is deleted does not go a second time', () => {
    const { results } = play(put('x', 100, 0), ['delete', 'x', null], ['time', 100])
    expect(results[2]).toMatchObject({ expired: [] })
  })

  it('goes in the order of time, at most so many with one entry', () => {
    const many = Array.from({ length: MAX_EXPIRED + 2 }, (_, i) => put(`k${i}`, 10_000 - i, 0))
    const { results, state } = play(...many, ['time', 10_000], ['time', 10_000])
    const [first, second] = results.slice(-2) as unknown as { expired: readonly string[] }[]
    expect(first!.expired).toHaveLength(MAX_EXPIRED)
    expect(first!.expired[0]).toBe(`k${MAX_EXPIRED + 1}`)
    expect(second!.expired).toEqual(['k1', 'k0'])
    expect(keysOf(state)).toEqual([])
  })
})

describe('the time of the log', () => {
  it('never goes back, whatever a leader with a slow clock says [F26]', () => {
    const { state } = play(['time', 5000], ['time', 3000], put('x', 100, 3000), ['time', 3050])
    expect(state.now).toBe(5000)
    expect(keysOf(state)).toEqual(['x'])
    expect(store.query!(state, { type: 'clock' }).next).toBe(5100)
  })

  it('moves with a key that begins to live, so that nobody has to tell it while there is none', () => {
    const { state } = play(put('x', 100, 7000))
    expect(state.now).toBe(7000)
  })
})

/** A server's clock beside a node that commits and changes its role when it is told to. */
function clock() {
  const commits$ = new Subject<Applied<Command, Result>>()
  const role$ = new Subject<RoleStatus>()
  const restored$ = new Subject<number>()
  let elapsed = 1000
  let restored = 0
  const query = () => of({ items: [], more: false, index: 1, now: restored })
  const it = new Clock({ commits$, role$, restored$, query }, () => elapsed)
  const commit = (command: Command, term = 1): void =>
    commits$.next({ index: 1, term, command, ok: true, result: { ok: true, version: 1 } })
  return {
    now: () => it.now(),
    pass: (ms: number) => void (elapsed += ms),
    commit,
    lead: (term: number) => role$.next({ role: 'leader', term }),
    follow: (term: number) => role$.next({ role: 'follower', term }),
    restore: (now: number) => {
      restored = now
      restored$.next(1)
    },
  }
}

describe("a server's clock", () => {
  it('goes on from the last entry that told the time, by what has passed since', () => {
    const { now, pass, commit } = clock()
    pass(10)
    commit(['time', 5000])
    expect(now()).toBe(5000)
    pass(250.7)
    expect(now()).toBe(5250)
  })

  it('takes the time from keys that begin to live, also under a name', () => {
    const { now, commit } = clock()
    commit(put('x', 1, 600))
    expect(now()).toBe(600)
    commit(['once', 'n', '', ['put', 'y', value, null, { ttl: 1, at: 700 }]])
    commit(['delete', 'y', null])
    expect(now()).toBe(700)
  })

  it('follows the leader, also when its own was ahead', () => {
    const { now, pass, commit } = clock()
    commit(['time', 1000])
    pass(10_000)
    commit(['time', 2000])
    expect(now()).toBe(2000)
  })

  it('does not lose what the commit of its own entries takes', () => {
    const { now, pass, commit, lead } = clock()
    commit(['time', 1000], 1)
    lead(2)
    pass(500)
    const said = now()
    pass(300)
    commit(['time', said], 2)
    expect(now()).toBe(1800)
  })

  it('does not go back for an entry of before', () => {
    const { now, pass, commit, follow } = clock()
    follow(1)
    commit(['time', 1000])
    pass(100)
    commit(['time', 900])
    expect(now()).toBe(1100)
  })

  it('goes on from a snapshot', () => {
    const { now, pass, restore } = clock()
    pass(100)
    restore(4000)
    pass(5)
    expect(now()).toBe(4005)
  })
})

/** What a server proposes, a time at each mark, whose keys expire as `next` says when it looks. */
function expectTimes(
  roles: string,
  { next, expired }: { readonly next: readonly boolean[]; readonly expired: readonly number[] },
  proposed: string,
  values: Readonly<Record<string, number>>,
): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
  scheduler.run(({ cold, expectObservable }) => {
    const proposed$ = new Subject<unknown>()
    const looks = [...next]
    const counts = [...expired]
    const node = {
      role$: cold(roles, {
        l: { role: 'leader', term: 1 },
        f: { role: 'follower', term: 2 },
      }) as Observable<RoleStatus>,
      query: () =>
        of({ items: [], more: false, index: 1, now: 0, next: looks.shift() ? 9 : undefined }),
      propose: (command: Command) => {
        proposed$.next(command[1])
        const keys = Array.from({ length: counts.shift() ?? 0 }, String)
        const result = { ok: true, version: 1, expired: keys } as const
        return of(
          { type: 'committed', index: 1, term: 1 } as const,
          { type: 'applied', index: 1, term: 1, result } as const,
        )
      },
    }
    const clock = { now: () => scheduler.now() }
    expectObservable(merge(proposed$, passTime(node, clock, 3))).toBe(proposed, values)
  })
}

describe('the time is told', () => {
  const always = [true, true, true, true]

  it('by the leader alone', () => {
    expectTimes('f---l-------f----', { next: always, expired: [] }, '-------a--b------', {
      a: 7,
      b: 10,
    })
  })

  it('only while there are keys that expire', () => {
    const next = [false, true, false, true]
    expectTimes('l------------f', { next, expired: [1, 1] }, '------a-----b-', { a: 6, b: 12 })
  })

  it('again at once when more is due than goes with one entry', () => {
    const expired = [MAX_EXPIRED, MAX_EXPIRED, 7]
    expectTimes('l----f', { next: always, expired }, '---(aaa)', { a: 3 })
  })
})

/** A server that leads itself, and a clock that a test moves. */
async function leading(options: Parameters<typeof start>[0] = {}) {
  let elapsed = 0
  const running = await start({ elapsed: () => elapsed, ...options })
  await eventually(async () => (await running.ask('/readyz')).status === 200 || undefined)
  const write = (key: string, ttl: number | string) =>
    running.ask(`/kv/${key}?ttl=${ttl}`, { method: 'PUT', body: 'v' })
  return { ...running, write, pass: (ms: number) => void (elapsed += ms) }
}

const isGone = ({ ask }: Pick<Running, 'ask'>, key: string) =>
  eventually(async () => (await ask(`/kv/${key}`)).status === 404 || undefined)

describe('PUT with ttl', () => {
  it('says how long the key has, and so do GET and a list', async () => {
    const running = await leading()
    const { write, ask, pass, put } = running
    expect(await write('x', 10)).toMatchObject({ status: 200, headers: { ttl: '10' } })
    await put('y', 'v')
    expect((await ask('/kv/x')).headers.ttl).toBe('10')
    pass(2500)
    await eventually(async () => (await ask('/kv/x')).headers.ttl === '8' || undefined)
    expect((await ask('/kv?prefix=x')).json.items).toMatchObject([{ key: 'x', ttl: 8 }])
    expect((await ask('/kv/y')).headers.ttl).toBeUndefined()
    pass(7500)
    await isGone(running, 'x')
    expect((await ask('/kv/y')).status).toBe(200)
  })

  it.each(['0', '-1', '1.5', 'x', '', '315360001'])('refuses %s', async (ttl) => {
    const { write } = await leading()
    expect(await write('x', ttl)).toMatchObject({
      status: 400,
      json: { error: 'bad-parameter', message: containing('ttl') },
    })
  })

  it('is a part of what an Idempotency-Key stands for, and when it came is not', async () => {
    const { ask, pass } = await leading()
    const put = (ttl: number) =>
      ask(`/kv/x?ttl=${ttl}`, { method: 'PUT', headers: { 'idempotency-key': 'k' } })
    const first = await put(10)
    pass(3000)
    const again = await put(10)
    expect(again).toMatchObject({ status: 200, json: first.json, headers: { ttl: '10' } })
    expect((await put(11)).status).toBe(422)
    await eventually(async () => (await ask('/kv/x')).headers.ttl === '7' || undefined)
  })
})

describe('a leader', () => {
  it('goes by what has passed, and not by what a wall clock says [F26] [F27]', async () => {
    const { ask, node } = await start()
    await eventually(async () => (await ask('/readyz')).status === 200 || undefined)
    await ask('/kv/x?ttl=3600', { method: 'PUT' })
    const wall = Date.now()
    for (const jump of [10 * 3_600_000, -wall]) {
      const told = node.history(1).length
      vi.spyOn(Date, 'now').mockReturnValue(wall + jump)
      await eventually(() => node.history(1).length > told + 3 || undefined)
      expect(Number((await ask('/kv/x')).headers.ttl)).toBeGreaterThan(3500)
    }
  })

  it('does not let a new key suffer for the time in which there was none', async () => {
    const { write, ask, pass } = await leading()
    await write('x', 5)
    pass(5000)
    await isGone({ ask }, 'x')
    pass(3_600_000)
    await write('x', 5)
    pass(1000)
    await eventually(async () => (await ask('/kv/x')).headers.ttl === '4' || undefined)
  })

  it('lets go of more keys than go with one entry without a pause', async () => {
    const { node, ask, pass } = await leading({})
    const keys = Array.from({ length: 2 * MAX_EXPIRED + 1 }, (_, i) => `k${i}`)
    await new Promise<void>((resolve, reject) => {
      let left = keys.length
      const applied = (): void => void (--left === 0 && resolve())
      for (const key of keys) {
        node.submit(['put', key, value, null, { ttl: 1000, at: 0 }], { applied, failed: reject })
      }
    })
    pass(1000)
    await isGone({ ask }, 'k2000')
    expect((await ask('/kv')).json.items).toEqual([])
  })
})

interface Seen {
  readonly id: number
  readonly type: string
  readonly key: string
  readonly version: number
}

describe('a watch', () => {
  it('sees the keys go, at the index of the entry, and resumes without a gap', async () => {
    const { url, write, ask, pass } = await leading()
    for (const key of ['a', 'b', 'c']) await write(key, 1)
    pass(1000)
    await isGone({ ask }, 'c')
    const events = async (query: string, count: number, seen?: number) => {
      const headers: Record<string, string> =
        seen === undefined ? {} : { 'last-event-id': String(seen) }
      const response = await fetch(`${url}/watch?${query}`, { headers })
      const found: Seen[] = []
      let text = ''
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      while (found.length < count) {
        text += (await reader.read()).value ?? ''
        const blocks = text.split('\n\n')
        text = blocks.pop()!
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1]
          const id = Number(/^id: (\d+)$/m.exec(block)?.[1])
          if (data !== undefined) found.push({ ...(JSON.parse(data) as Seen), id })
        }
      }
      await reader.cancel()
      return found
    }
    const gone = (await events('from=1', 6)).slice(3)
    const { version } = gone[0]!
    expect(gone).toEqual(
      ['a', 'b', 'c'].map((key, i) => ({
        ...{ id: i < 2 ? version - 1 : version, type: 'delete', key, version, expired: true },
      })),
    )
    const resumed = await events('', 3, gone[1]!.id)
    expect(resumed.map(({ key }) => key)).toEqual(['a', 'b', 'c'])
  })
})

describe('keys that expire', () => {
  it('are in snapshots, with the time', async () => {
    const disk = memoryDisk()
    const before = await leading({ storage: memory(disk) })
    await before.write('x', 10)
    before.pass(4000)
    await eventually(async () => (await before.ask('/kv/x')).headers.ttl === '6' || undefined)
    await firstValueFrom(before.node.snapshot())
    before.stop()
    const after = await leading({ storage: memory(disk) })
    expect((await after.ask('/kv/x')).headers).toMatchObject({ ttl: '6', etag: containing('"') })
    after.pass(6000)
    await isGone(after, 'x')
    expect((await after.ask('/status')).json).toMatchObject({ snapshotIndex: aNumber })
  })
})
