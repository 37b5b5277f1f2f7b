import type { Millis } from '../../lib/types.ts'
import type { Request, Response } from '../checkers/observation.ts'
import { Chance } from './chance.ts'
import { Client, type Promises } from './client.ts'
import type { Journal } from './journal.ts'
import type { SimulatedServer } from './server.ts'
import type { StoreNode } from './store.ts'
import type { Clients } from './workload.ts'
import type { World } from './world.ts'

/** A cluster without faults must serve and agree within this many virtual ms. */
const BOUND = 15_000

/** How often it is looked at, in virtual ms. */
const GLANCE = 50

/**
 * The second half of every run: all faults are over, and what must then come true. A leader is elected, a
 * write and a read that begin at each server succeed, every client's operation ends, every promise is kept and
 * all logs are equal. Returns what has not come true within {@link BOUND}.
 */
export function heal(
  world: World,
  journal: Journal,
  clients: Clients,
  promises: Promises,
): string[] {
  const { clock, healable } = world
  const end: Millis = clock.now() + BOUND
  const unserved = new Set(healable.map((server, i) => visit(world, clients, promises, server, i)))
  for (;;) {
    clock.runUntil(Math.min(clock.now() + GLANCE, end))
    for (const visitor of unserved) if (visitor.isServed) unserved.delete(visitor)
    const missing = [
      ...[...unserved].map(({ id }) => `${id} has not served a write and a read`),
      ...(clients.busy > 0 ? [`${clients.busy} operations have not ended`] : []),
      ...(promises.open > 0 ? [`${promises.open} promises of servers are not settled`] : []),
      ...differences(healable),
    ]
    const isOver = missing.length === 0 || clock.now() >= end || journal.violations.length > 0
    if (isOver) return missing
  }
}

interface Visitor {
  readonly id: string
  isServed: boolean
}

/** A client that begins at one server and does not rest until it was served. */
function visit(
  world: World,
  clients: Clients,
  promises: Promises,
  { id }: SimulatedServer,
  number: number,
): Visitor {
  const visitor: Visitor = { id, isServed: false }
  const client = new Client(world, new Chance(world.options.seed, `visitor ${id}`), promises, id)
  const requests: Request[] = [
    { type: 'put', key: `visited ${id}`, value: id },
    { type: 'get', key: `visited ${id}` },
  ]
  const ask = (i: number): void => {
    const request = requests[i]
    if (request === undefined) return void (visitor.isServed = true)
    const again = (response: Response): void => ask(response.type === 'ok' ? i + 1 : i)
    clients.ask(VISITORS + number, client, request, again)
  }
  ask(0)
  return visitor
}

/** Visitors are numbered from here, behind every client. */
const VISITORS = 1_000

/** In what the servers differ: nothing, once they have converged. */
function differences(servers: readonly SimulatedServer[]): string[] {
  const stopped = servers.filter(({ node }) => node === undefined)
  if (stopped.length > 0) return [`${stopped.map(({ id }) => id).join(', ')} does not run`]
  const [first, ...others] = servers.map(({ id, node }) => ({ id, log: appliedLog(node!) }))
  return others
    .filter(({ log }) => log !== first!.log)
    .map(({ id }) => `${first!.id} and ${id} have not applied the same log`)
}

const appliedLog = (node: StoreNode): string =>
  JSON.stringify(node.history(1, Number.MAX_SAFE_INTEGER))
