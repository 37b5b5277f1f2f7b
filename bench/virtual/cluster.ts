import { Subject } from 'rxjs'
import { bytes } from 'rxraft'
import { cluster as servers, VirtualClock } from 'rxraft/testing'
import { latency } from 'rxraft/transport/memory'
import { sum } from '../machine.ts'

const IDS = ['a', 'b', 'c']

const machine = { ...sum, query: (state: number, _question: 'sum') => state }

/** Give up after so many virtual milliseconds. */
const PATIENCE = 60_000

/** Three servers in virtual time with default timeouts, each so many ms away from the others; disks take no time. */
export class VirtualCluster {
  readonly clock = new VirtualClock()
  readonly #crash$ = new Subject<string>()
  readonly #servers
  readonly #running
  #leaders: readonly string[] = []

  constructor(oneWay: number, seed: number) {
    const { clock } = this
    this.#servers = servers({
      ...{ ids: IDS, machine, codec: bytes, seed, crash$: this.#crash$ },
      ...{ scheduler: clock, turns: clock, link: () => latency(oneWay, clock) },
    })
    this.#running = this.#servers.connect()
    this.#running.add(this.#servers.leaders$.subscribe((leaders) => (this.#leaders = leaders)))
  }

  get leader() {
    return this.#servers.node(this.#leaders[0]!)
  }

  node(id: string) {
    return this.#servers.node(id)
  }

  get ids(): readonly string[] {
    return this.#servers.ids
  }

  /** Virtual ms until there is a leader. */
  elect(): number {
    return this.#until(() => this.#leaders.length > 0)
  }

  /** The leader is gone at once: virtual ms until there is another one. */
  crashLeader(): number {
    const [gone] = this.#leaders
    this.#crash$.next(gone!)
    return this.#until(() => this.#leaders.some((id) => id !== gone))
  }

  /** Virtual ms until `begin` calls back. */
  time(begin: (done: () => void) => void): number {
    let isDone = false
    begin(() => (isDone = true))
    return this.#until(() => isDone)
  }

  stop(): void {
    this.#running.unsubscribe()
  }

  #until(isOver: () => boolean): number {
    const began = this.clock.now()
    while (!isOver()) {
      const now = this.clock.now()
      if (now - began > PATIENCE) throw new Error(`not within ${PATIENCE} virtual ms`)
      this.clock.runUntil(now + 1)
    }
    return this.clock.now() - began
  }
}
