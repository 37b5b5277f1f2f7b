import { request, type IncomingMessage } from 'node:http'
import { memory, memoryDisk } from 'rxraft/storage/memory'
import type { Trace } from 'rxraft'
import { Subject } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'
import { History } from '../../kv/history.ts'
import { aText, eventually, type Running, start, stopAll } from './support.ts'
import { traced } from './traced.ts'

afterEach(stopAll)

interface Event {
  readonly id: number
  readonly type: string
  readonly key: string
  readonly version: number
  readonly value?: string
}

interface Watcher {
  readonly response: IncomingMessage
  readonly events: Event[]
  /** The last id, with an event or without. */
  id: () => number
  comments: () => number
  isOver: () => boolean
  /** What it was told in the end. */
  error: () => object | undefined
  readonly leave: () => void
}

function watch({ url }: Running, query: string, headers = {}): Promise<Watcher> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/watch?${query}`, { headers, agent: false }, (response) => {
      let rest = ''
      let id = -1
      let comments = 0
      let isOver = false
      let error: object | undefined
      const events: Event[] = []
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const blocks = (rest + chunk).split('\n\n')
        rest = blocks.pop()!
        for (const block of blocks) {
          if (block.startsWith('event: error\n')) {
            error = JSON.parse(block.slice(block.indexOf('{'))) as object
            continue
          }
          id = Number(/^id: (\d+)$/m.exec(block)![1])
          if (block.startsWith(':')) comments++
          const data = /^data: (.*)$/m.exec(block)?.[1]
          if (data !== undefined) events.push({ id, ...(JSON.parse(data) as Omit<Event, 'id'>) })
        }
      })
      response.on('close', () => (isOver = true)).on('error', () => undefined)
      const leave = () => outgoing.destroy()
      const watcher: Watcher = {
        response,
        events,
        id: () => id,
        comments: () => comments,
        isOver: () => isOver,
        error: () => error,
        leave,
      }
      resolve(watcher)
    })
    outgoing.on('error', reject).end()
  })
}

async function started(options: Parameters<typeof start>[0] = {}): Promise<Running> {
  const running = await start(options)
  await eventually(async () => (await running.ask('/readyz')).status === 200 || undefined)
  return running
}

const indexOf = ({ json }: { json: Readonly<Record<string, unknown>> }) => json.index as number

const count = (watcher: Watcher, n: number) =>
  eventually(() => (watcher.events.length >= n ? watcher.events : undefined))

describe('a watch', () => {
  it('tells each write that took effect, once, in order, by its index', async () => {
    const running = await started()
    const watcher = await watch(running, '')
    const first = indexOf(await running.put('x', '1'))
    expect((await running.put('x', '2', { 'if-none-match': '*' })).status).toBe(412)
    const body = new Uint8Array([0xff])
    await running.ask('/kv/__proto__', { method: 'PUT', body })
    await running.ask('/kv/none', { method: 'DELETE' })
    await running.ask('/kv/x', { method: 'DELETE' })
    expect(await count(watcher, 3)).toEqual([
      { id: first, type: 'put', key: 'x', version: first, value: '1', encoding: 'utf8' },
      {
        id: first + 2,
        type: 'put',
        key: '__proto__',
        version: first + 2,
        value: '/w==',
        encoding: 'base64',
      },
      { id: first + 4, type: 'delete', key: 'x', version: first + 4 },
    ])
    expect(watcher.response.headers['content-type']).toBe('text/event-stream')
  })

  it('begins with what comes after it, and tells from where it would go on', async () => {
    const running = await started()
    const before = indexOf(await running.put('x', '1'))
    const watcher = await watch(running, '')
    expect(await eventually(() => (watcher.id() >= 0 ? watcher.id() : undefined))).toBe(before)
    await running.put('x', '2')
    expect((await count(watcher, 1)).map(({ id }) => id)).toEqual([before + 1])
  })

  it('tells only of keys with the prefix', async () => {
    const running = await started()
    const watcher = await watch(running, 'prefix=a%2F')
    for (const key of ['a', 'a/1', 'b', 'a/2']) await running.put(encodeURIComponent(key), key)
    expect((await count(watcher, 2)).map(({ key }) => key)).toEqual(['a/1', 'a/2'])
  })

  it('ends when the node stops', async () => {
    const running = await started()
    const watcher = await watch(running, '')
    running.node.connect().unsubscribe()
    await eventually(() => watcher.isOver() || undefined)
  })

  it.each([
    ['from=0', {}],
    ['from=x', {}],
    ['from=-1', {}],
    ['', { 'last-event-id': 'x' }],
    ['prefix=%', {}],
  ])('refuses %s with %j', async (query, headers) => {
    const { ask } = await started()
    expect(await ask(`/watch?${query}`, { headers })).toMatchObject({
      status: 400,
      json: { error: aText, message: aText },
    })
  })
})

describe('a watch that is resumed', () => {
  it('goes on after the last event, without a gap and without repetition [F52]', async () => {
    const running = await started()
    const seen: number[] = []
    const all: number[] = []
    let last = 0
    for (let round = 0; round < 5; round++) {
      const headers = { 'last-event-id': String(last) }
      const watcher = await watch(running, 'from=1', headers)
      const writes = Array.from({ length: 20 }, (_, i) => running.put(`${i}`, `${round}`))
      const half = await count(watcher, 10)
      watcher.leave()
      for (const { id } of half) seen.push(id)
      last = seen.at(-1)!
      all.push(...(await Promise.all(writes)).map(indexOf))
    }
    const rest = await watch(running, '', { 'last-event-id': String(last) })
    await count(rest, all.length - seen.length)
    expect([...seen, ...rest.events.map(({ id }) => id)]).toEqual(all.sort((a, b) => a - b))
  })

  it('from an index that is still to come begins there', async () => {
    const running = await started()
    const index = indexOf(await running.put('x', '0'))
    const watcher = await watch(running, `from=${index + 3}`)
    for (const value of ['1', '2', '3']) await running.put('x', value)
    expect((await count(watcher, 1)).map(({ id }) => id)).toEqual([index + 3])
  })

  it('after a restart begins at the first commit again [F52]', async () => {
    const disk = memoryDisk()
    const before = await started({ storage: memory(disk) })
    const indexes = []
    for (const value of ['1', '2', '3']) indexes.push(indexOf(await before.put('x', value)))
    before.stop()
    const after = await started({ storage: memory(disk) })
    const all = await count(await watch(after, 'from=1'), 3)
    expect(all.map(({ id }) => id)).toEqual(indexes)
    const headers = { 'last-event-id': String(indexes[1]) }
    const rest = await count(await watch(after, '', headers), 1)
    expect(rest.map(({ id }) => id)).toEqual([indexes[2]])
  })

  it('too late is told so: 410, and from where on all is there [F52]', async () => {
    const running = await started({ limits: { changes: 2 } })
    const indexes = []
    for (const value of ['1', '2', '3']) indexes.push(indexOf(await running.put('x', value)))
    expect(await running.ask('/watch?from=1')).toMatchObject({
      status: 410,
      json: { error: 'compacted', message: aText, first: indexes[0]! + 1 },
    })
    const headers = { 'last-event-id': String(indexes[0]! - 1) }
    expect((await running.ask('/watch', { headers })).status).toBe(410)
    const watcher = await watch(running, `from=${indexes[0]! + 1}`)
    expect((await count(watcher, 2)).map(({ id }) => id)).toEqual(indexes.slice(1))
  })
})

describe('a watch that a snapshot jumps over', () => {
  /** A server whose history is told here, whatever its node does. */
  async function behind() {
    const trace$ = new Subject<Trace>()
    const restored$ = new Subject<number>()
    const running = await started({ service: { history: new History({ trace$, restored$ }) } })
    const write = (version: number) =>
      trace$.next(
        traced({
          ...{ index: version, term: 1, ok: true, result: { ok: true, version } },
          command: ['put', 'x', Buffer.from('x'), null],
        }),
      )
    return { running, write, jump: (through: number) => restored$.next(through) }
  }

  it('ends with what is missing, and from where on all is there [F52]', async () => {
    const { running, write, jump } = await behind()
    const idle = await watch(running, 'from=1&prefix=nothing')
    const reading = await watch(running, 'from=1')
    write(1)
    await count(reading, 1)
    jump(100)
    write(101)
    for (const watcher of [idle, reading]) {
      await eventually(() => watcher.isOver() || undefined)
      expect(watcher.error()).toEqual({ error: 'compacted', message: aText, first: 101 })
    }
    expect(reading.events.map(({ id }) => id)).toEqual([1])
    const resumed = await running.ask('/watch', { headers: { 'last-event-id': '1' } })
    expect(resumed).toMatchObject({ status: 410, json: { error: 'compacted', first: 101 } })
    expect((await count(await watch(running, 'from=101'), 1)).map(({ id }) => id)).toEqual([101])
  })

  it('goes on when it wants only what comes behind it', async () => {
    const { running, write, jump } = await behind()
    const watcher = await watch(running, 'from=101')
    write(1)
    jump(100)
    write(101)
    expect((await count(watcher, 1)).map(({ id }) => id)).toEqual([101])
    expect(watcher.isOver()).toBe(false)
  })

  it('and that does not read is let go all the same [F72]', async () => {
    const { running, write, jump } = await behind()
    const watcher = await watch(running, 'from=1')
    watcher.response.pause()
    write(1)
    jump(100)
    await eventually(async () => (await running.clients()) === 0 || undefined)
  })
})

describe('a server that restarts from a snapshot', () => {
  it('has the changes behind it, and says so of those before it [F52]', async () => {
    const disk = memoryDisk()
    const before = await started({ storage: memory(disk), snapshotTailBytes: 0 })
    for (const value of ['1', '2', '3']) await before.put('x', value)
    const snapshot = indexOf(await before.ask('/snapshot', { method: 'POST' }))
    const index = indexOf(await before.put('x', '4'))
    before.stop()
    const after = await started({ storage: memory(disk) })
    expect(await after.ask('/watch?from=1')).toMatchObject({
      status: 410,
      json: { error: 'compacted', first: snapshot + 1 },
    })
    const rest = await count(await watch(after, `from=${snapshot + 1}`), 1)
    expect(rest.map(({ id }) => id)).toEqual([index])
    expect((await after.ask('/kv/x')).text).toBe('4')
  })
})

describe('an idle watch', () => {
  it('gets signs of life, and with them how far it has come', async () => {
    const running = await started({ service: { keepAlive: 10 } })
    const watcher = await watch(running, 'prefix=nothing')
    const index = indexOf(await running.put('x', '1'))
    await eventually(() => (watcher.comments() > 2 && watcher.id() === index) || undefined)
    expect(watcher.events).toEqual([])
  })
})

describe('a client that does not read', () => {
  const large = 'x'.repeat(500_000)

  it('is let go when nothing can be written to it between two signs of life [F72]', async () => {
    const running = await started({ service: { keepAlive: 100 } })
    const watcher = await watch(running, '')
    watcher.response.pause()
    for (let i = 0; i < 40; i++) await running.put('x', large)
    await eventually(async () => (await running.clients()) === 0 || undefined)
  })

  it('is let go when what it has yet to read is forgotten, and resumes if it can [F72]', async () => {
    const running = await started({ limits: { changes: 4 } })
    const watcher = await watch(running, '')
    watcher.response.pause()
    for (let i = 0; i < 40; i++) await running.put('x', large)
    watcher.response.resume()
    await eventually(() => watcher.isOver() || undefined)
    expect(watcher.events.length).toBeLessThan(40)
    const { first } = running.history
    expect(watcher.error()).toEqual({ error: 'compacted', message: aText, first })
    const ids = watcher.events.map(({ id }) => id)
    expect(ids).toEqual(ids.map((_, i) => ids[0]! + i))
  })
})
