import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { nextWrite } from '../../bench/failover.ts'

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A server that answers its requests with these, and the last of them from then on. */
async function answering(...statuses: readonly number[]): Promise<string> {
  let asked = 0
  const server = createServer((_, response) => {
    const status = statuses[Math.min(asked++, statuses.length - 1)]!
    // Of some requests nobody ever hears again.
    if (status !== 0) response.writeHead(status).end()
  })
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

it('waits for a write that succeeds, whatever refuses, redirects or never answers before', async () => {
  const asked: string[] = []
  const put = (key: string) => {
    asked.push(key)
    return { method: 'PUT', path: `/${key}`, body: 'x' }
  }
  const addresses = [await answering(0), await answering(503, 307, 0, 200)]
  const began = performance.now()
  const ended = await nextWrite({ put }, addresses, 7)
  expect(ended).toBeGreaterThan(began)
  expect(asked.length).toBeGreaterThanOrEqual(8)
  expect(new Set(asked.map((key) => key.split('-')[1]))).toEqual(new Set(['7']))
})
