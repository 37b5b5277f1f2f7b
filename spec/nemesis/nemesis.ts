import { setTimeout as sleep } from 'node:timers/promises'
import type { Leaders } from './leaders.ts'
import { faults } from './faults/index.ts'
import type { Fleet } from './fleet.ts'
import type { FaultEvent } from './schedule.ts'
import { count, emptyTally, type Tally } from './tally.ts'
import type { Kind } from './kinds.ts'

/** Does to the servers what the schedule says, when it says so; resolves when all of it is over. */
export async function torment(
  fleet: Fleet,
  leaders: Leaders,
  events: readonly FaultEvent[],
  kinds: readonly Kind[],
): Promise<Tally> {
  const start = performance.now()
  let tally = emptyTally(kinds)
  const strike = async (event: FaultEvent): Promise<void> => {
    const { at, lasts, kind, strength } = event
    await sleep(Math.max(0, start + at - performance.now()))
    const end = performance.now() + lasts
    const sides = sidesOf(fleet.servers, leaders.current, event)
    const lift = await faults[kind]({ ...sides, fleet, strength, lasts })
    await sleep(Math.max(0, end - performance.now()))
    tally = count(tally, kind, await lift())
  }
  await Promise.all(events.map(strike))
  return tally
}

/** Who is struck, and who is not. */
export function sidesOf<T extends { readonly id: string }>(
  servers: readonly T[],
  leader: string | undefined,
  { order, atLeader, count }: Pick<FaultEvent, 'order' | 'atLeader' | 'count'>,
): { readonly victims: readonly T[]; readonly others: readonly T[] } {
  const drawn = order.flatMap((place) => servers[place] ?? [])
  const isFirst = (server: T): boolean => atLeader && server.id === leader
  const ranked = [...drawn.filter(isFirst), ...drawn.filter((server) => !isFirst(server))]
  return { victims: ranked.slice(0, count), others: ranked.slice(count) }
}
