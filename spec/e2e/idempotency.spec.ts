import { afterEach, beforeEach, expect, test } from 'vitest'
import { get, put } from './clients.ts'
import { eventually, Servers, type Server } from './servers.ts'

let servers: Servers

beforeEach(async () => {
  servers = await Servers.create()
})
afterEach(() => servers.close())

/** The answer to a request with an idempotency key, wherever it has to be sent. */
async function ask(server: Server, key: string, value: string): Promise<unknown> {
  const headers = { 'idempotency-key': `of ${key}` }
  return eventually('an answer', async () => {
    const request = { method: 'PUT', body: value, headers }
    const response = await fetch(`${server.http}/kv/${key}`, request).catch(() => undefined)
    return response?.status === 200 ? await response.json() : undefined
  })
}

test(
  'an Idempotency-Key holds when the leader is killed, on every server, and after a restart from snapshots [F43]',
  { timeout: 60_000 },
  async () => {
    const args = ['--snapshot-entries', '20', '--snapshot-tail', '1']
    servers.startAll(args)
    const leader = await servers.leader()
    const first = await ask(leader, 'x', 'once')
    await put(leader, 'x', 'later')

    await servers.stop(leader.id, 'SIGKILL')
    const next = await servers.leader()
    expect(await ask(next, 'x', 'once')).toEqual(first)
    for (let i = 0; i < 50; i++) await put(next, `other${i}`, 'so that snapshots are taken')
    servers.start(leader.id, { args })
    for (const server of servers.running.values()) {
      expect(await ask(server, 'x', 'once')).toEqual(first)
    }

    await Promise.all(servers.ids.map((id) => servers.stop(id, 'SIGKILL')))
    servers.startAll(args)
    const last = await servers.leader()
    expect(await ask(last, 'x', 'once')).toEqual(first)
    expect(await get(last, 'x')).toBe('later')
  },
)
