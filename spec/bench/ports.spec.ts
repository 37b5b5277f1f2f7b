import { createServer } from 'node:net'
import { once } from 'node:events'
import { afterEach, expect, test, vi } from 'vitest'
import { freePort, freePorts } from '../../bench/harness/ports.ts'

afterEach(() => vi.unstubAllEnvs())

test('no port is given twice, also before anybody listens on it', async () => {
  const given = [...(await freePorts(200)), ...(await freePorts(200)), await freePort()]
  expect(new Set(given).size).toBe(401)
  expect(Math.max(...given)).toBeLessThan(32_768)
})

test('processes that run tests side by side are given different ones', async () => {
  const given: number[][] = []
  for (const pool of ['1', '2']) {
    vi.stubEnv('VITEST_POOL_ID', pool)
    given.push(await freePorts(850))
  }
  expect(new Set(given.flat()).size).toBe(1700)
})

test('no port is given on which somebody listens', async () => {
  const taken = (await freePort()) + 16
  const server = createServer().listen(taken, '127.0.0.1')
  await once(server, 'listening')
  expect(await freePorts(3)).not.toContain(taken)
  server.close()
})
