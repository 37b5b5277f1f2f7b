import { setTimeout as sleep } from 'node:timers/promises'
import { PREFIX, type Clients } from './clients.ts'
import type { History, Outcome } from './history.ts'
import type { Server } from './server.ts'
import { standingOf } from './standing.ts'
import { put } from './store.ts'

/** Milliseconds after the last fault in which the servers have to agree again. */
const BOUND = 60_000

/** The client that the healer is. */
const HEALER = -1

/**
 * Kills every server at once, while the clients are still at it, so that nothing but the disks is left.
 * Then starts them again and waits until a write is accepted and all have applied it: whoever has, has
 * applied everything before it. Resolves with its index, or `undefined` when that takes too long.
 */
export async function heal(
  servers: readonly Server[],
  clients: Clients,
  history: History,
): Promise<number | undefined> {
  await Promise.all(servers.map((server) => server.kill()))
  await clients.stop()
  for (const server of servers) server.start()
  const end = performance.now() + BOUND
  for (let i = 0; performance.now() < end; i++) {
    const index = await writeLast(servers[i % servers.length]!, history, `${PREFIX}last-${i}`)
    if (index !== undefined) return (await converged(servers, index, end)) ? index : undefined
    await sleep(50)
  }
  return undefined
}

async function writeLast(
  { url }: Server,
  history: History,
  key: string,
): Promise<number | undefined> {
  let outcome: Outcome | undefined
  await history.record(
    HEALER,
    { type: 'put', key, value: 'last' },
    async () => (outcome = await put(url, key, 'last')),
  )
  return outcome?.index
}

async function converged(servers: readonly Server[], index: number, end: number): Promise<boolean> {
  while (performance.now() < end) {
    const standings = await Promise.all(servers.map((server) => standingOf(server)))
    if (standings.every((it) => it !== undefined && it.appliedIndex >= index)) return true
    await sleep(50)
  }
  return false
}
