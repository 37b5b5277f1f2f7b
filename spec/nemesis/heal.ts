import { setTimeout as sleep } from 'node:timers/promises'
import { PREFIX, type Clients } from './clients.ts'
import type { Fleet } from './fleet.ts'
import type { History, Outcome } from './history.ts'
import type { Lookout } from './lookout.ts'
import type { Server } from './server.ts'
import { standingOf } from './standing.ts'
import { put } from './store.ts'

/** Milliseconds after the last fault in which the servers have to agree again. */
const BOUND = 60_000

/** The client that the healer is. */
const HEALER = -1

/**
 * Kills every server at once, while the clients are still at it, so that nothing but the disks is left.
 * Then starts them again and waits until every change of members that was begun has come to its end, a
 * write is accepted and all have applied it: whoever has, has applied everything before it. Resolves
 * with what did not come to pass in time.
 */
export async function heal(
  fleet: Fleet,
  lookout: Lookout,
  clients: Clients,
  history: History,
): Promise<readonly string[]> {
  const end = performance.now() + BOUND
  await Promise.all(fleet.servers.map((server) => server.kill()))
  await clients.stop()
  for (const server of fleet.servers) server.start()
  const isSettled = await Promise.race([
    fleet.settled().then(() => true),
    sleep(BOUND, false, { ref: false }),
  ])
  fleet.finish()
  if (!isSettled) return [`after all faults: ${unsettled(fleet)}`]
  for (let i = 0; performance.now() < end; i++) {
    const { servers } = fleet
    const index = await writeLast(servers[i % servers.length]!, history, `${PREFIX}last-${i}`)
    if (index !== undefined && (await converged(fleet, lookout, index, end))) return []
    await sleep(50)
  }
  return ['the servers did not agree again after all faults were over']
}

/** Who is where it should not be any more. */
function unsettled({ servers, staying, memberships }: Fleet): string {
  const all = servers.flatMap((server) => {
    const role = memberships.roleOf(server.id) ?? 'outside'
    const stays = server.isWitness ? 'witness' : 'voter'
    const wish = staying.includes(server) ? stays : 'gone'
    return role === wish ? [] : [`${server.id} is ${role}, not ${wish} (${server.lastWords})`]
  })
  return all.length === 0 ? 'nobody could be asked' : all.join(', ')
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

/** Every server has applied it, and has told so; a witness has none to apply, and knows that it is committed. */
async function converged(
  { servers }: Fleet,
  { recorders }: Lookout,
  index: number,
  end: number,
): Promise<boolean> {
  while (performance.now() < end) {
    const standings = await Promise.all(servers.map((server) => standingOf(server)))
    const isThere = servers.map(({ isWitness }, i) => {
      const { commitIndex = 0, appliedIndex = 0 } = standings[i] ?? {}
      return (isWitness ? commitIndex : appliedIndex) >= index
    })
    const full = servers.filter(({ isWitness }) => !isWitness)
    const isTold = full.every((it) => (recorders.get(it)?.through ?? 0) >= index)
    if (isTold && isThere.every(Boolean)) return true
    await sleep(50)
  }
  return false
}
