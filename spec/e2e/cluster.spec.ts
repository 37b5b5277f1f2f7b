import { inspect } from 'rxraft/storage/file'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { countPuts, get, put, Writer, type Acknowledged } from './clients.ts'
import { eventually, Servers, statusOf, type Server } from './servers.ts'

/** Three real processes over TCP, with real files. */
describe('three servers', { timeout: 60_000 }, () => {
  let servers: Servers

  beforeEach(async () => {
    servers = await Servers.create()
  })
  afterEach(() => servers.close())

  test('lose nothing when the leader is killed mid-write, and go on within two seconds [F7]', async () => {
    servers.startAll()
    const leader = await servers.leader()
    const writers = [1, 2, 3, 4].map((n) => new Writer(`client${n}`, servers.running))
    const acknowledged = (): Acknowledged[] => writers.flatMap((writer) => writer.acknowledged)
    await eventually('writes', () => (acknowledged().length >= 200 ? true : undefined))

    await servers.stop(leader.id, 'SIGKILL')
    const killed = performance.now()
    const before = acknowledged().length
    await eventually('a write after the kill', () =>
      acknowledged().length > before + writers.length ? true : undefined,
    )
    expect(performance.now() - killed).toBeLessThan(2_000)

    servers.start(leader.id)
    await eventually('more writes', () =>
      acknowledged().length >= before + 300 ? true : undefined,
    )
    await Promise.all(writers.map((writer) => writer.stop()))

    await expectEverywhere(servers, acknowledged())
  })

  test('remember everything when all of them are killed and restarted [bug 7]', async () => {
    servers.startAll()
    const first = await servers.leader()
    const { term } = (await statusOf(first))!
    const acknowledged: Acknowledged[] = []
    for (let i = 0; i < 50; i++) acknowledged.push((await put(first, `key${i}`, `value ${i}`))!)

    await Promise.all(servers.ids.map((id) => servers.stop(id, 'SIGKILL')))
    servers.startAll()
    const second = await servers.leader()

    expect((await statusOf(second))!.term).toBeGreaterThan(term)
    await expectEverywhere(servers, acknowledged)
  })

  test('hand the leadership over when the leader is asked to stop', async () => {
    // Without it, nobody would lead for three seconds.
    servers.startAll(['--election-timeout', '3000-6000'])
    const leader = await servers.leader()
    const stopped = performance.now()
    expect(await servers.stop(leader.id, 'SIGTERM')).toEqual({ code: 0, signal: null })
    const next = await servers.leader()
    expect(next.id).not.toBe(leader.id)
    expect(performance.now() - stopped).toBeLessThan(2_500)
  })

  test('take a snapshot when they are asked to stop, and start from it', async () => {
    servers.startAll()
    const leader = await servers.leader()
    const acknowledged: Acknowledged[] = []
    for (let i = 0; i < 20; i++) acknowledged.push((await put(leader, `key${i}`, `value ${i}`))!)
    const last = acknowledged.at(-1)!.index

    for (const id of [leader.id, ...servers.ids.filter((it) => it !== leader.id)]) {
      const { data } = servers.running.get(id)!
      await servers.stop(id, 'SIGTERM')
      expect((await inspect(data)).snapshot?.index).toBeGreaterThanOrEqual(last)
    }
    servers.startAll()
    const again = await servers.leader()
    for (const { key, value } of acknowledged) expect(await get(again, key)).toBe(value)
    expect((await fetch(`${again.http}/watch?from=${last}`)).status).toBe(410)
  })

  test('stop cleanly when asked to, and one alone serves no write', async () => {
    servers.startAll()
    await servers.leader()
    expect(await servers.stop('a', 'SIGTERM')).toEqual({ code: 0, signal: null })
    expect(await servers.stop('b', 'SIGINT')).toEqual({ code: 0, signal: null })

    const alone = servers.running.get('c')!
    const refused = await eventually('a refusal', async () => {
      const request = { method: 'PUT', body: 'x', redirect: 'manual' } as const
      const response = await fetch(`${alone.http}/kv/x`, request)
      return response.status === 503 ? response : undefined
    })
    expect(refused.headers.get('retry-after')).not.toBeNull()
    expect(await get(alone, 'x', '?consistency=stale')).toBeUndefined()
  })
})

async function expectEverywhere(
  servers: Servers,
  acknowledged: readonly Acknowledged[],
): Promise<void> {
  const last = Math.max(...acknowledged.map(({ index }) => index))
  for (const server of servers.running.values()) {
    await eventually(`${server.id} to catch up`, async () =>
      ((await statusOf(server))?.appliedIndex ?? 0) >= last ? true : undefined,
    )
    await expectOnceEach(server, acknowledged, last)
  }
}

async function expectOnceEach(
  server: Server,
  acknowledged: readonly Acknowledged[],
  last: number,
): Promise<void> {
  const counts = await countPuts(server, last)
  const repeated = [...counts].filter(([, count]) => count !== 1)
  const missing = acknowledged.filter(({ key }) => !counts.has(key))
  expect({ server: server.id, repeated, missing }).toEqual({
    server: server.id,
    repeated: [],
    missing: [],
  })
  const { key, value } = acknowledged.at(-1)!
  expect(await get(server, key, '?consistency=stale')).toBe(value)
  expect(await get(server, acknowledged[0]!.key)).toBe(acknowledged[0]!.value)
}
