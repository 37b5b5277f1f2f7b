import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually, Servers, statusOf, type Server } from './servers.ts'

let servers: Servers

beforeEach(async () => {
  servers = await Servers.create()
})
afterEach(() => servers.close())

async function putFor(server: Server, key: string, seconds: number): Promise<void> {
  const response = await fetch(`${server.http}/kv/${key}?ttl=${seconds}`, { method: 'PUT' })
  expect(response.status).toBe(200)
}

/** What the header says of a key on this server; `undefined` when it is not there. */
async function ttlOf(server: Server, key: string): Promise<number | undefined> {
  const response = await fetch(`${server.http}/kv/${key}?consistency=stale`)
  return response.status === 200 ? Number(response.headers.get('ttl')) : undefined
}

/** The index at which a server saw a key go. */
async function goneAt({ http }: Server, key: string): Promise<number> {
  const response = await fetch(`${http}/watch?from=1&prefix=${key}`)
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const data = /^data: (\{"type":"delete".*\})$/m.exec(text)?.[1]
    if (data !== undefined) return (JSON.parse(data) as { version: number }).version
  }
  throw new Error('the watch ended')
}

test(
  'keys expire under a new leader and after a restart, everywhere with the same entry [F27]',
  { timeout: 60_000 },
  async () => {
    servers.startAll()
    const leader = await servers.leader()
    await putFor(leader, 'short', 2)
    await putFor(leader, 'long', 3600)
    const put = performance.now()
    await servers.stop(leader.id, 'SIGKILL')
    const next = await servers.leader()
    await eventually('the key to go', async () =>
      (await ttlOf(next, 'short')) === undefined ? true : undefined,
    )
    expect(performance.now() - put).toBeGreaterThan(1_990)
    const again = servers.start(leader.id)
    await eventually('the server to be back', () => statusOf(again))
    const all = [...servers.running.values()]
    const indexes = await Promise.all(all.map((server) => goneAt(server, 'short')))
    expect(new Set(indexes).size).toBe(1)

    await Promise.all(servers.ids.map((id) => servers.stop(id, 'SIGTERM')))
    servers.startAll()
    const last = await servers.leader()
    for (const server of servers.running.values()) {
      await eventually('the server to be back', () => statusOf(server))
      const ttl = await eventually('the other key', () => ttlOf(server, 'long'))
      expect(ttl).toBeGreaterThan(3500)
      expect(ttl).toBeLessThan(3600)
    }
    await putFor(last, 'short', 1)
    await eventually('the key to go again', async () =>
      (await ttlOf(last, 'short')) === undefined ? true : undefined,
    )
  },
)
