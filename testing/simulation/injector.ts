import type { Millis, NodeId } from '../../lib/types.ts'
import { exchanged } from './exchanged.ts'
import type { Aim, DiskFault, Fault, FaultEvent } from './faults.ts'
import type { SimulatedServer } from './server.ts'
import type { World } from './world.ts'

/** What the injector tells. */
export interface InjectorWitness {
  /** A fault has been injected, whether or not anything came of it. */
  injected(event: FaultEvent): void
  /** Something really came of a fault of this kind. */
  bit(kind: string): void
  /** Who leads, as far as one can tell from outside. */
  leader(): NodeId | undefined
}

/** A server that is resumed has read its mail after this many virtual ms. */
const WAKING = 1

/** Lets faults loose on a world, except one that would leave it without a quorum for good. */
export class Injector {
  /** Whom the troubles have hit that were aimed at a leader. */
  readonly #hit = new Map<number, NodeId>()

  constructor(
    private readonly world: World,
    private readonly witness: InjectorWitness,
  ) {}

  inject(planned: Fault & { readonly aim?: Aim }): void {
    const fault = this.#aimed(planned)
    if (isFinal(fault) && !this.#canBreak(fault.id)) return
    const at: Millis = this.world.clock.now()
    this.witness.injected({ ...fault, at })
    this.#inject(fault)
  }

  #aimed({ aim, ...fault }: Fault & { readonly aim?: Aim }): Fault {
    if (aim === undefined) return fault
    const { as, number } = aim
    const target = this.#hit.get(number) ?? this.witness.leader() ?? as
    this.#hit.set(number, target)
    return exchanged(fault, as, target)
  }

  /** Every fault is over: who is down starts again, unless its disk cannot be read. */
  heal(): void {
    const { clock, network, servers, healable } = this.world
    network.inject({ type: 'heal' })
    for (const type of ['lose', 'duplicate', 'reorder'] as const) network.inject({ type, rate: 0 })
    network.inject({ type: 'delay', ms: 0 })
    network.inject({ type: 'echo', rate: 0, ms: 0 })
    network.releaseAll()
    for (const server of servers) {
      server.disk.repair()
      server.clock.drift(1)
      server.clock.resume()
    }
    // What waited for a paused server may be its disk's error: only then is it known who is down.
    clock.runUntil(clock.now() + WAKING)
    for (const server of healable) server.start()
  }

  #inject(fault: Fault): void {
    switch (fault.type) {
      case 'lose':
      case 'duplicate':
      case 'reorder':
      case 'delay':
      case 'echo':
      case 'hold':
      case 'release':
      case 'heal':
        return this.world.network.inject(fault)
      case 'cut':
      case 'partition':
      case 'bridge':
      case 'ring':
        this.witness.bit(fault.type)
        return this.world.network.inject(fault)
      default: {
        const server = this.world.server(fault.id)
        if (server !== undefined) this.#harm(server, fault)
      }
    }
  }

  #harm(server: SimulatedServer, fault: Extract<Fault, { id: NodeId }>): void {
    switch (fault.type) {
      case 'restart':
        // Whoever was never started waits until somebody wants it.
        if (server.life === 0) return
        if (server.node === undefined) this.witness.bit('restart')
        return server.start()
      case 'resume':
        return server.clock.resume()
      case 'jump':
        this.witness.bit(fault.type)
        return server.clock.jump(fault.ms)
      case 'drift':
        if (fault.rate !== 1) this.witness.bit(fault.type)
        return server.clock.drift(fault.rate)
      case 'pause':
        if (server.node === undefined || server.clock.isPaused) return
        this.witness.bit(fault.type)
        return server.clock.pause()
      case 'crash':
        return this.#crash(server, fault.type, 1)
      default:
        return this.#harmDisk(server, fault)
    }
  }

  #harmDisk(server: SimulatedServer, fault: DiskFault): void {
    const { disk } = server
    switch (fault.type) {
      case 'slowDisk':
        if (fault.ms > 0) this.witness.bit(fault.type)
        return disk.slow(fault.ms)
      case 'stallDisk':
      case 'unstallDisk':
        if (fault.type === 'stallDisk') this.witness.bit(fault.type)
        return disk.stall(fault.type === 'stallDisk')
      case 'failFsync':
        return disk.failNextSync(fault.keep)
      case 'fillDisk':
      case 'freeDisk':
        return disk.fill(fault.type === 'fillDisk')
      case 'runShort':
      case 'makeRoom':
        if (fault.type === 'runShort' && server.node !== undefined) this.witness.bit(fault.type)
        return disk.runShort(fault.type === 'runShort')
      case 'tearWrite':
        return disk.duringSync(() => this.#crash(server, fault.type, fault.keep))
      case 'loseWrites':
        return disk.duringSync(() => this.#crash(server, fault.type, 0))
      case 'tearSnapshot':
        return disk.duringPiece(() => this.#crash(server, fault.type, fault.keep), fault.isEnd)
      case 'garbleChunk':
        return disk.garbleNext()
      case 'flipSnapshot':
        return disk.flipSnapshot() ? this.witness.bit(fault.type) : undefined
      case 'flipBit':
        this.witness.bit(fault.type)
        server.crash(1)
        return disk.flipBit()
      case 'wipeDisk':
        this.witness.bit(fault.type)
        this.world.wiped.add(server.id)
        server.crash(0)
        return disk.wipe()
    }
  }

  #crash(server: SimulatedServer, kind: string, keep: number): void {
    if (server.node === undefined) return
    this.witness.bit(kind)
    server.crash(keep)
  }

  /** Whether there is a disk to break, and the others are a quorum without it. */
  #canBreak(id: NodeId): boolean {
    const server = this.world.server(id)
    if (server?.disk.isCorrupt !== false || server.life === 0) return false
    return this.world.survives({ broken: id })
  }
}

type FinalFault = Extract<Fault, { type: 'flipBit' | 'flipSnapshot' | 'wipeDisk' }>

const isFinal = (fault: Fault): fault is FinalFault =>
  fault.type === 'flipBit' || fault.type === 'flipSnapshot' || fault.type === 'wipeDisk'
