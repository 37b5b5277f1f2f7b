import type { Millis } from '../../lib/types.ts'
import type { Request, Response } from '../checkers/observation.ts'
import { Chance } from './chance.ts'
import { Client } from './client.ts'
import type { Journal } from './journal.ts'
import type { Promises } from './promises.ts'
import type { SimulatedServer } from './server.ts'
import { everything } from './store.ts'
import type { Clients } from './workload.ts'
import type { World } from './world.ts'

/** A cluster without faults must serve and agree within this many virtual ms. */
const BOUND = 15_000

/** How often it is looked at, in virtual ms. */
const GLANCE = 50

/**
 * The second half of every run: all faults are over, and what must then come true. A leader is elected, a
 * write and a read that begin at each server succeed, every client's operation ends, every promise is kept and
 * all states are equal. Then the leader starts anew, and all of it comes true again although nobody writes any
 * more (§8). Returns what has not come true, each time within {@link BOUND}.
 */
export function heal(
  world: World,
  journal: Journal,
  clients: Clients,
  promises: Promises,
): string[] {
  const serve = (requests: Requests): string[] =>
    settle(world, journal, clients, promises, requests)
  const missing = serve((key) => [{ type: 'put', key, value: key }, read(key)])
  if (missing.length > 0 || journal.violations.length > 0) return missing
  const leader = world.server(journal.leader() ?? '')
  leader?.crash(1)
  leader?.start()
  return serve((key) => [read(key)])
}

/** What is asked of a server, which has a key of its own. */
type Requests = (key: string) => readonly Request[]

const read = (key: string): Request => ({ type: 'get', key })

/** Asks each server, and lets time pass until all that must come true has. */
function settle(
  world: World,
  journal: Journal,
  clients: Clients,
  promises: Promises,
  requests: Requests,
): string[] {
  const { clock, healable } = world
  const end: Millis = clock.now() + BOUND
  const ask = ({ id }: SimulatedServer, number: number): Visitor => {
    const client = new Client(world, new Chance(world.options.seed, `visitor ${id}`), promises, id)
    return visit(clients, client, id, VISITORS + number, requests(`visited ${id}`))
  }
  const unserved = new Set(healable.map(ask))
  for (;;) {
    clock.runUntil(Math.min(clock.now() + GLANCE, end))
    for (const visitor of unserved) if (visitor.isServed) unserved.delete(visitor)
    const missing = [
      ...[...unserved].map(({ id }) => `${id} has not served what it was asked`),
      ...(clients.busy > 0 ? [`${clients.busy} operations have not ended`] : []),
      ...(promises.open > 0 ? [`${promises.open} promises of servers are not settled`] : []),
    ]
    // To compare whole states takes a while, so it is the last question.
    if (missing.length === 0 || clock.now() >= end)
      missing.push(...differences(world.converging, journal))
    const isOver = missing.length === 0 || clock.now() >= end || journal.violations.length > 0
    if (isOver) return missing
  }
}

interface Visitor {
  readonly id: string
  isServed: boolean
}

/** A client that begins at the server `id` and does not rest until it was served. */
function visit(
  clients: Clients,
  client: Client,
  id: string,
  number: number,
  requests: readonly Request[],
): Visitor {
  const visitor: Visitor = { id, isServed: false }
  const ask = (i: number): void => {
    const request = requests[i]
    if (request === undefined) return void (visitor.isServed = true)
    const again = (response: Response): void => ask(response.type === 'ok' ? i + 1 : i)
    clients.ask(number, client, request, again)
  }
  ask(0)
  return visitor
}

/** Visitors are numbered from here, behind every client. */
const VISITORS = 1_000

/** In what the servers differ: nothing, once they have converged. */
function differences(servers: readonly SimulatedServer[], journal: Journal): string[] {
  const stopped = servers.filter(({ node }) => node === undefined)
  if (stopped.length > 0) return [`${stopped.map(({ id }) => id).join(', ')} does not run`]
  const [first, ...others] = servers.map(({ id, node }) => ({
    id,
    state: `${journal.appliedIndex(id)} ${everything(node!)}`,
  }))
  return others
    .filter(({ state }) => state !== first!.state)
    .map(({ id }) => `${first!.id} and ${id} are not in the same state`)
}
