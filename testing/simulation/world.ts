import { raft } from '../../operators/engine/raft.ts'
import type { Envelope } from '../../lib/messages.ts'
import type { NodeId, Plan } from '../../lib/types.ts'
import { Chance } from './chance.ts'
import { VirtualClock } from './clock.ts'
import { SimulatedDisk, type DiskWitness, type SyncTime } from './disk.ts'
import { addressOf, SimulatedNetwork, type Latency, type NetworkWitness } from './network.ts'
import { SimulatedServer, type ServerWitness } from './server.ts'
import { ServerClock } from './serverClock.ts'
import type { Roster } from './roster.ts'
import type { ObservedStore } from './observedStore.ts'
import type { Taste } from './taste.ts'
import type { StoreOptions } from './store.ts'

/** Everything that is seen of a world from outside. */
export interface Witness extends ServerWitness, NetworkWitness {
  delivered(envelope: Envelope): void
  durable(disk: SimulatedDisk, what: string): void
  wiped(disk: SimulatedDisk): void
  struck(disk: SimulatedDisk, fault: 'failFsync' | 'fillDisk' | 'garbleChunk'): void
}

export interface WorldOptions {
  /** The servers with which the cluster begins. */
  readonly founders: readonly NodeId[]
  /** Servers that may be taken in later. Default: none. */
  readonly spares?: readonly NodeId[]
  readonly seed: number
  readonly latency?: Latency
  readonly syncTime?: SyncTime
  /** Default: the engine's own. */
  readonly taste?: Taste
  /** Which founders are to lead rather than others. Default: none. */
  readonly priorities?: Readonly<Record<NodeId, number>>
  /** Servers that vote and keep nothing, for as long as they live. Default: none. */
  readonly witnesses?: ReadonlySet<NodeId>
  /** Changes what each life of each server is made from. */
  readonly configure?: (options: StoreOptions) => StoreOptions
}

/** Servers, their disks, the network between them and the time that passes: all of it the seed's chance. */
export class World {
  readonly clock = new VirtualClock()
  readonly network: SimulatedNetwork
  readonly servers: readonly SimulatedServer[]
  /** Servers whose disks have lost what they held. */
  readonly wiped = new Set<NodeId>()
  readonly #byId: ReadonlyMap<NodeId, SimulatedServer>

  constructor(
    readonly options: WorldOptions,
    readonly roster: Roster,
    private readonly witness: Witness,
  ) {
    const { founders, spares = [], seed, latency } = options
    const ids = [...founders, ...spares]
    const chance = new Chance(seed, 'network')
    this.network = new SimulatedNetwork(ids, this.clock, chance, witness, latency)
    this.servers = ids.map((id) => this.#server(id))
    this.#byId = new Map(this.servers.map((server) => [server.id, server]))
  }

  /** Servers that are witnesses, if they are anything. */
  get witnesses(): ReadonlySet<NodeId> {
    return this.options.witnesses ?? NOBODY
  }

  server(id: NodeId): SimulatedServer | undefined {
    return this.#byId.get(id)
  }

  /** Servers that have ever been started, of which some may be members no more, and some not yet. */
  get started(): readonly SimulatedServer[] {
    return this.servers.filter(({ life }) => life > 0)
  }

  get running(): readonly SimulatedServer[] {
    return this.servers.filter(({ node }) => node !== undefined)
  }

  /** Servers whose disks can still be read: those that come back. */
  get healable(): readonly SimulatedServer[] {
    return this.started.filter(({ disk }) => !disk.isCorrupt)
  }

  /** Members among them, and whoever runs and has not found out yet that its disk cannot be read. */
  get converging(): readonly SimulatedServer[] {
    return this.servers.filter(
      ({ id, disk, node }) => this.roster.isMember(id) && (node !== undefined || !disk.isCorrupt),
    )
  }

  /**
   * Whether a quorum is left without the disk of `broken`, and also after a change, whatever comes of those that
   * are under way. Where there are witnesses, a full server may hold what else only they have acknowledged:
   * without it nobody could lead.
   */
  survives({ plan, broken }: { readonly plan?: Plan; readonly broken?: NodeId }): boolean {
    const isFull = broken !== undefined && !this.witnesses.has(broken)
    if (isFull && this.witnesses.size > 0) return false
    const isSound = (id: NodeId): boolean =>
      id !== broken && !this.wiped.has(id) && this.server(id)?.disk.isCorrupt === false
    return this.roster.survives(isSound, this.witnesses, plan)
  }

  /** Where servers are, as nobody but the network understands it. */
  addressesOf(ids: readonly NodeId[]): Record<NodeId, string> {
    return Object.fromEntries(ids.map((id) => [id, addressOf(id)]))
  }

  #server(id: NodeId): SimulatedServer {
    const { founders, seed, taste, priorities = {} } = this.options
    const { configure = (options) => options } = this.options
    const isFounder = founders.includes(id)
    const clock = new ServerClock(this.clock)
    const post = (run: () => void): void => clock.post(run)
    const disk = this.#disk(id)
    const random = new Chance(seed, `server ${id}`).next
    const make = (store: ObservedStore) => {
      const made = configure({
        id,
        members: isFounder ? founders : [],
        witnesses: isFounder ? founders.filter((founder) => this.witnesses.has(founder)) : [],
        addresses: isFounder ? this.addressesOf(founders) : {},
        priorities: isFounder ? priorities : {},
        ...taste?.options,
        machine: store.machine(taste?.ballast ?? 0),
        storage: disk.open(post),
        transport: this.network.join(id, post),
        scheduler: clock,
        turns: clock,
        random,
      })
      // Soon enough for the stalls that are drawn.
      const diskStall = 2 * (made.electionTimeout?.[1] ?? 300)
      return raft({ diskStall, ...made })
    }
    return new SimulatedServer(id, clock, disk, make, this.witness)
  }

  #disk(id: NodeId): SimulatedDisk {
    const { witness } = this
    const chance = new Chance(this.options.seed, `disk ${id}`)
    const told: DiskWitness = {
      durable: (what) => witness.durable(disk, what),
      wiped: () => witness.wiped(disk),
      struck: (fault) => witness.struck(disk, fault),
    }
    const { syncTime, taste } = this.options
    const disk = new SimulatedDisk(id, this.clock, chance, told, syncTime, taste?.pieceBytes)
    return disk
  }
}

const NOBODY: ReadonlySet<NodeId> = new Set()
