import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections, which would take them meanwhile. */
const LOWEST_PORT = 15_000

/** Processes that run tests side by side draw from ports of their own: every so many are one's. */
const PROCESSES = 16
const EACH = 900

let next = randomInt(EACH)

/** Ports of 127.0.0.1 on which nobody listens, and which were not given for a long time. */
export async function freePorts(count: number): Promise<number[]> {
  const own = Number(process.env['VITEST_POOL_ID'] ?? 0) % PROCESSES
  const free: number[] = []
  for (; free.length < count; next++) {
    const port = LOWEST_PORT + PROCESSES * (next % EACH) + own
    if (await isFree(port)) free.push(port)
  }
  return free
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  return port!
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
    await once(server.close(), 'close')
    return true
  } catch {
    return false
  }
}
