import { concatMap } from 'rxjs'
import type { Message } from '../../../lib/messages.ts'
import type { Millis, NodeId, Term } from '../../../lib/types.ts'
import { Chance } from '../../../testing/simulation/chance.ts'
import type { StoreOptions } from '../../../testing/simulation/store.ts'
import { Roster } from '../../../testing/simulation/roster.ts'
import { World, type Witness } from '../../../testing/simulation/world.ts'

/** From the shortest to the longest, in ms. */
export type Range = readonly [min: Millis, max: Millis]

/** How long things take. */
export interface Setting {
  /** A message is under way. */
  readonly oneWay: Range
  /** A write to disk. */
  readonly write: Range
}

/** What is tried. */
export interface Experiment extends Setting {
  /** Silence after which a server campaigns. The pulses come at half the shortest. */
  readonly timeouts: Range
  /** Whether a server asks in advance if it would win (thesis §9.6). */
  readonly preVote: boolean
}

/** Who leads in a term, and since when somebody else has known it. */
interface Reign {
  readonly leader: NodeId
  readonly term: Term
  readonly since: Millis
}

/** A new leader has told everybody by then, in virtual ms. */
const SETTLING = 1_000

/** How often somebody looks whether there is a leader, in virtual ms. */
const GLANCE = 1

/** No election takes so long, in virtual ms. */
const LONGEST = 120_000

const ids: readonly NodeId[] = ['a', 'b', 'c', 'd', 'e']

/**
 * How long five servers are without a leader, in virtual ms: from its crash, at a random moment between two
 * pulses, until a server hears the next one. Every log is shorter than the one before, so that two of the
 * four survivors cannot be elected.
 */
export function downTime(experiment: Experiment, seed: number): Millis {
  const heartbeat = experiment.timeouts[0] / 2
  const chance = new Chance(seed, 'trial')
  const behind = new Set<NodeId>()
  const reigns: Reign[] = []
  const world = worldOf(experiment, seed, behind, reigns)
  const { clock, servers } = world
  const awaitReign = (after: Term): Reign => {
    for (const until = clock.now() + LONGEST; clock.now() < until;) {
      const reign = reigns.at(-1)
      if (reign !== undefined && reign.term > after) return reign
      clock.runUntil(clock.now() + GLANCE)
    }
    throw new Error(`seed ${seed}: no leader after ${LONGEST} ms`)
  }
  for (const server of servers) server.start()
  awaitReign(0)
  clock.runUntil(clock.now() + SETTLING)

  const { leader, term } = awaitReign(0)
  const old = world.server(leader)!
  const followers = chance.shuffle(ids.filter((id) => id !== leader))
  for (const id of followers.slice(1)) {
    behind.add(id)
    // What only two servers have is never committed.
    const proposal$ = old.node!.propose({ type: 'put', key: 'last to miss it', value: id })
    proposal$.subscribe({ error: () => undefined })
    clock.runUntil(clock.now() + heartbeat)
  }
  clock.runUntil(clock.now() + heartbeat * (1 + chance.next()))

  old.crash(1)
  behind.clear()
  const crashed = clock.now()
  return awaitReign(term).since - crashed
}

/** The down times of so many trials, in ascending order. */
export const downTimes = (experiment: Experiment, trials: number): Millis[] =>
  Array.from({ length: trials }, (_, seed) => downTime(experiment, seed)).sort((a, b) => a - b)

function worldOf(
  { timeouts, oneWay, write, preVote }: Experiment,
  seed: number,
  behind: ReadonlySet<NodeId>,
  reigns: Reign[],
): World {
  const witness: Witness = {
    ...blind,
    delivered: ({ from, message }) => {
      if (!isPulse(message) || message.term <= (reigns.at(-1)?.term ?? 0)) return
      reigns.push({ leader: from, term: message.term, since: world.clock.now() })
    },
  }
  const electing = { electionTimeout: timeouts, heartbeat: timeouts[0] / 2, preVote }
  const world: World = new World(
    {
      founders: ids,
      seed,
      latency: (chance) => chance.between(...oneWay),
      syncTime: (chance) => chance.between(...write),
      configure: (options) => lagging({ ...options, ...electing }, behind),
    },
    new Roster(),
    witness,
  )
  return world
}

/** What only a leader sends. */
const isPulse = ({ type }: Message): boolean => type === 'heartbeat' || type === 'append'

/**
 * Whoever is `behind` is sent pulses only. Any other word of the leader's, even one without entries, would
 * come after the pulse and start their silence later than that of the others.
 */
const lagging = (options: StoreOptions, behind: ReadonlySet<NodeId>): StoreOptions => ({
  ...options,
  transport: (outbound) =>
    options.transport!(
      outbound.pipe(
        concatMap((envelope) => {
          const isLost = envelope.message.type === 'append' && behind.has(envelope.to)
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
