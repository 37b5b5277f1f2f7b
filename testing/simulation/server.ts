import type { Subscription } from 'rxjs'
import type { Step } from '../../lib/turn.ts'
import type { NodeId } from '../../lib/types.ts'
import type { SimulatedDisk } from './disk.ts'
import type { ServerClock } from './serverClock.ts'
import { ObservedStore } from './observedStore.ts'
import type { StoreNode } from './store.ts'

/** What is seen of a server from outside. */
export interface ServerWitness {
  started(server: SimulatedServer): void
  /** It crashed, or stopped by itself with an error. */
  stopped(server: SimulatedServer, error?: unknown): void
  stepped(server: SimulatedServer, step: Step): void
}

/** A server from life to life: each is a node of its own, the real engine, on the same disk. */
export class SimulatedServer {
  /** The node, while it runs. */
  node: StoreNode | undefined
  /** The present life or the last one, counted from 1. */
  life = 0
  /** The state machine of the present life or the last one. */
  store = new ObservedStore()
  #running: Subscription | undefined

  constructor(
    readonly id: NodeId,
    readonly clock: ServerClock,
    readonly disk: SimulatedDisk,
    private readonly make: (store: ObservedStore) => StoreNode,
    private readonly witness: ServerWitness,
  ) {}

  /** Starts a node, unless one runs. */
  start(): void {
    if (this.node !== undefined) return
    this.store = new ObservedStore()
    const node = this.make(this.store)
    this.node = node
    this.life++
    this.witness.started(this)
    node.trace$.subscribe({
      next: (trace) => {
        if (trace.type === 'step') this.witness.stepped(this, trace.step)
      },
      error: (error: unknown) => {
        this.disk.lose(1)
        this.#die(error)
      },
    })
    this.#running = node.connect()
    // The node may have failed already.
    if (this.node === undefined) this.#running.unsubscribe()
  }

  /** Kills the process. Of what its disk has not synced, the part `keep` is there afterwards. */
  crash(keep: number): void {
    if (this.node === undefined) return
    this.disk.lose(keep)
    const running = this.#running
    this.#die()
    running?.unsubscribe()
  }

  #die(error?: unknown): void {
    this.node = undefined
    this.#running = undefined
    this.clock.clear()
    if (error === undefined) this.witness.stopped(this)
    else this.witness.stopped(this, error)
  }
}
