import { setTimeout as sleep } from 'node:timers/promises'
import { send, type Ask } from '../../kv/exchange.ts'
import type { Fleet } from './fleet.ts'
import type { Server } from './server.ts'

/** Milliseconds that an answer may take: a change waits for two commits. */
const PATIENCE = 3_000

/** Milliseconds between two looks, and between two requests. */
const PAUSE = 200

const MAX_REDIRECTS = 3

/** Asks one server and follows redirects: the status of the answer; `undefined` without one. */
export async function ask(server: Server, question: Ask): Promise<number | undefined> {
  try {
    let at = server.url
    for (let i = 0; i <= MAX_REDIRECTS; i++) {
      const { status, headers } = await send(at, question, PATIENCE)
      if (status !== 307) return status
      at = new URL(headers.location!).origin
    }
    return undefined
  } catch {
    return undefined
  }
}

/** Resolves when it is so, or nobody waits for it any more. */
async function until(fleet: Fleet, isSo: () => boolean): Promise<void> {
  while (!isSo() && !fleet.isOver) await sleep(PAUSE)
}

/** Asks one server after the other, again and again, until it is so. */
async function insist(fleet: Fleet, question: Ask, isSo: () => boolean): Promise<void> {
  for (let i = 0; !isSo() && !fleet.isOver; i++) {
    const { staying } = fleet
    const server = staying[i % staying.length]
    if (server !== undefined) await ask(server, question)
    await sleep(PAUSE)
  }
}

/** Has a server leave, and ends it some time after it has: until then it goes on, as far as it does. */
export async function remove(fleet: Fleet, server: Server, lingers: number): Promise<void> {
  const { id } = server
  const isGone = (): boolean => fleet.memberships.roleOf(id) === 'gone'
  await insist(fleet, { method: 'DELETE', path: `/members/${id}` }, isGone)
  if (!isGone()) return
  await sleep(lingers)
  await fleet.retire(server)
}

/** Gives a learner a vote, as soon as it listens. */
export async function promote(fleet: Fleet, { id }: Server): Promise<void> {
  const role = (): string | undefined => fleet.memberships.roleOf(id)
  await until(fleet, () => role() !== undefined)
  const body = Buffer.from(JSON.stringify({ voters: [id] }))
  await insist(fleet, { method: 'POST', path: '/members', body }, () => role() === 'voter')
}

export const isVoter = ({ memberships }: Fleet, { id }: Server): boolean =>
  memberships.roleOf(id) === 'voter'

/** Resolves when the server votes. */
export const voting = (fleet: Fleet, server: Server): Promise<void> =>
  until(fleet, () => isVoter(fleet, server))
