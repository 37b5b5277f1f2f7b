import { raft } from '../../operators/engine/raft.ts'
import type { Envelope } from '../../lib/messages.ts'
import type { NodeId } from '../../lib/types.ts'
import { Chance } from './chance.ts'
import { VirtualClock } from './clock.ts'
import { SimulatedDisk, type DiskWitness, type SyncTime } from './disk.ts'
import { SimulatedNetwork, type Latency, type NetworkWitness } from './network.ts'
import { SimulatedServer, type ServerWitness } from './server.ts'
import { ServerClock } from './serverClock.ts'
import type { ObservedStore } from './observedStore.ts'
import type { SnapshotTaste } from './snapshotTaste.ts'
import type { StoreOptions } from './store.ts'

/** Everything that is seen of a world from outside. */
export interface Witness extends ServerWitness, NetworkWitness {
  delivered(envelope: Envelope): void
  durable(disk: SimulatedDisk, what: string): void
  wiped(disk: SimulatedDisk): void
  struck(disk: SimulatedDisk, fault: 'failFsync' | 'fillDisk' | 'garbleChunk'): void
}

export interface WorldOptions {
  readonly ids: readonly NodeId[]
  readonly seed: number
  readonly latency?: Latency
  readonly syncTime?: SyncTime
  /** Default: the engine's, which are rare. */
  readonly snapshots?: SnapshotTaste
  /** Changes what each life of each server is made from. */
  readonly configure?: (options: StoreOptions) => StoreOptions
}

/** Servers, their disks, the network between them and the time that passes: all of it the seed's chance. */
export class World {
  readonly clock = new VirtualClock()
  readonly network: SimulatedNetwork
  readonly servers: readonly SimulatedServer[]
  readonly #byId: ReadonlyMap<NodeId, SimulatedServer>

  constructor(
    readonly options: WorldOptions,
    private readonly witness: Witness,
  ) {
    const { ids, seed, latency } = options
    const chance = new Chance(seed, 'network')
    this.network = new SimulatedNetwork(ids, this.clock, chance, witness, latency)
    this.servers = ids.map((id) => this.#server(id))
    this.#byId = new Map(this.servers.map((server) => [server.id, server]))
  }

  server(id: NodeId): SimulatedServer | undefined {
    return this.#byId.get(id)
  }

  /** Servers whose disks can still be read: those that come back. */
  get healable(): readonly SimulatedServer[] {
    return this.servers.filter(({ disk }) => !disk.isCorrupt)
  }

  /** Those, and whoever runs and has not found out yet that its disk cannot be read. */
  get converging(): readonly SimulatedServer[] {
    return this.servers.filter(({ disk, node }) => node !== undefined || !disk.isCorrupt)
  }

  #server(id: NodeId): SimulatedServer {
    const { ids, seed, snapshots, configure = (options) => options } = this.options
    const clock = new ServerClock(this.clock)
    const post = (run: () => void): void => clock.post(run)
    const disk = this.#disk(id)
    const random = new Chance(seed, `server ${id}`).next
    const make = (store: ObservedStore) => {
      const made = configure({
        id,
        members: ids,
        ...snapshots?.options,
        machine: store.machine(snapshots?.ballast ?? 0),
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
    const { syncTime, snapshots } = this.options
    const disk = new SimulatedDisk(id, this.clock, chance, told, syncTime, snapshots?.pieceBytes)
    return disk
  }
}
