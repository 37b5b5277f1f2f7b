import type { Millis, NodeId } from '../../lib/types.ts'
import type { Request, Response } from '../checkers/observation.ts'
import type { Administrators } from './administration.ts'
import { Chance } from './chance.ts'
import { Client } from './client.ts'
import type { Journal } from './journal.ts'
import type { Promises } from './promises.ts'
import type { SimulatedServer } from './server.ts'
import { everything } from './store.ts'
import type { Clients } from './workload.ts'
import type { World } from './world.ts'

/** Everybody who takes part in a simulation. */
export interface Cast {
  readonly world: World
  readonly journal: Journal
  readonly clients: Clients
  readonly promises: Promises
  readonly administrators: Administrators
}

/** A cluster without faults must serve and agree within this many virtual ms. */
const BOUND: Millis = 15_000

/** How often it is looked at, in virtual ms. */
const GLANCE = 50

/** What is asked of a server, which has a key of its own. */
export type Requests = (key: string) => readonly Request[]

/** Lets time pass until nothing is missing any more. Returns what is still missing when it took too long. */
export function wait(
  { world, journal }: Cast,
  missing: () => readonly string[],
): readonly string[] {
  const end = world.clock.now() + BOUND
  for (;;) {
    world.clock.runUntil(Math.min(world.clock.now() + GLANCE, end))
    const still = missing()
    const isOver = world.clock.now() >= end || journal.violations.length > 0
    if (still.length === 0 || isOver) return still
  }
}

/** Asks each member, and lets time pass until all that must come true has. */
export function settle(cast: Cast, requests: Requests): readonly string[] {
  const { world, clients, promises, administrators, journal } = cast
  const visitors = new Map<NodeId, Visitor>()
  const ask = ({ id }: SimulatedServer): Visitor => {
    const chance = new Chance(world.options.seed, `visitor ${id}`)
    const client = new Client(world, chance, promises, { target: id })
    const number = VISITORS + world.servers.findIndex((server) => server.id === id)
    return visit(clients, client, id, number, requests(`visited ${id}`))
  }
  return wait(cast, () => {
    const members = world.healable.filter(({ id }) => world.roster.isMember(id))
    for (const member of members) {
      if (!visitors.has(member.id)) visitors.set(member.id, ask(member))
    }
    const missing = [
      ...members
        .filter(({ id }) => visitors.get(id)?.isServed === false)
        .map(({ id }) => `${id} has not served what it was asked`),
      ...(members.length === 0 ? ['nobody is a member'] : []),
      ...(clients.busy > 0 ? [`${clients.busy} operations have not ended`] : []),
      ...(promises.open > 0 ? [`${promises.open} promises of servers are not settled`] : []),
      ...(administrators.open > 0 ? [`${administrators.open} orders are not answered`] : []),
    ]
    // To compare whole states takes a while, so it is the last question.
    return missing.length > 0 ? missing : differences(world, journal)
  })
}

interface Visitor {
  readonly id: NodeId
  isServed: boolean
}

/** A client that begins at the server `id` and does not rest until it was served. */
function visit(
  clients: Clients,
  client: Client,
  id: NodeId,
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
function differences({ converging: servers, witnesses }: World, journal: Journal): string[] {
  const stopped = servers.filter(({ node }) => node === undefined)
  if (stopped.length > 0) return [`${stopped.map(({ id }) => id).join(', ')} does not run`]
  const index = Math.max(...servers.map(({ id }) => journal.appliedIndex(id)))
  const behind = servers.filter(({ id }) => journal.appliedIndex(id) !== index)
  if (behind.length > 0) return behind.map(({ id }) => `${id} is behind`)
  const full = servers.filter(({ id }) => !witnesses.has(id))
  const [first, ...others] = full.map(({ id, node }) => ({ id, state: everything(node!) }))
  return others
    .filter(({ state }) => state !== first!.state)
    .map(({ id }) => `${first!.id} and ${id} are not in the same state`)
}
