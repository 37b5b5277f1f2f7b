import { concatMap } from 'rxjs'
import type { Millis, NodeId } from '../../../lib/types.ts'
import { Chance } from '../../../testing/simulation/chance.ts'
import type { StoreOptions } from '../../../testing/simulation/store.ts'
import { World, type Witness } from '../../../testing/simulation/world.ts'

/** Silence in ms after which a server campaigns, from the shortest to the longest. */
export type Range = readonly [min: Millis, max: Millis]

/** A request to everybody and all the answers take about 15 ms, as in the paper (§9.3). */
const oneWay = (chance: Chance): Millis => chance.between(5, 10)

/** A new leader has told everybody by then, in virtual ms. */
const SETTLING = 1_000

/** How exactly the moment of an election is known, in virtual ms. */
const GLANCE = 0.5

const ids: readonly NodeId[] = ['a', 'b', 'c', 'd', 'e']

/**
 * How long five servers are without a leader, in virtual ms: the leader crashes at a random moment between two
 * pulses, and two of the four survivors cannot be elected, because their logs are behind.
 */
export function downTime(range: Range, seed: number, preVote: boolean): Millis {
  const heartbeat = range[0] / 2
  const chance = new Chance(seed, 'trial')
  const behind = new Set<NodeId>()
  let leader: NodeId | undefined
  const witness: Witness = {
    ...blind,
    stepped: ({ id }, { state }) => {
      if (state.role.type === 'leader') leader = id
    },
  }
  const configure = (options: StoreOptions): StoreOptions =>
    lagging({ ...options, electionTimeout: range, heartbeat, preVote }, behind)
  const world = new World({ ids, seed, latency: oneWay, configure }, witness)
  const { clock, servers } = world
  for (const server of servers) server.start()
  const awaitLeader = (): NodeId => {
    while (leader === undefined) clock.runUntil(clock.now() + GLANCE)
    return leader
  }
  awaitLeader()
  clock.runUntil(clock.now() + SETTLING)

  const old = awaitLeader()
  const followers = chance.shuffle(ids.filter((id) => id !== old))
  for (const id of followers.slice(0, 2)) behind.add(id)
  const { node } = world.server(old)!
  node!.propose({ type: 'put', key: 'ahead', value: 'of two' }).subscribe()
  clock.runUntil(clock.now() + heartbeat * (4 + chance.next()))

  world.server(old)!.crash(1)
  leader = undefined
  const crashed = clock.now()
  awaitLeader()
  return clock.now() - crashed
}

/** Whoever is `behind` is sent no entries. */
const lagging = (options: StoreOptions, behind: ReadonlySet<NodeId>): StoreOptions => ({
  ...options,
  transport: (outbound) =>
    options.transport!(
      outbound.pipe(
        concatMap((envelope) => {
          const { to, message } = envelope
          const isLost = message.type === 'append' && message.batches.length > 0 && behind.has(to)
          return isLost ? [] : [envelope]
        }),
      ),
    ),
})

const blind: Witness = {
  started: () => undefined,
  stopped: () => undefined,
  stepped: () => undefined,
  delivered: () => undefined,
  disturbed: () => undefined,
  durable: () => undefined,
  wiped: () => undefined,
  struck: () => undefined,
}
