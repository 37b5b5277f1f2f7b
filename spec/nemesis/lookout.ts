import { setTimeout as sleep } from 'node:timers/promises'
import type { Fleet } from './fleet.ts'
import type { Leaders } from './leaders.ts'
import { membershipOf } from './memberships.ts'
import { Recorder } from './recorder.ts'
import type { Server } from './server.ts'
import { standingOf } from './standing.ts'

/** Milliseconds between two rounds of asking. */
const ROUND = 100

/** Asks every server that there is again and again who leads and who is in, and writes down what it tells. */
export class Lookout {
  readonly recorders = new Map<Server, Recorder>()
  readonly #asking = new Map<Server, Promise<void>>()
  readonly #finished: Promise<void>
  #isStopped = false

  constructor(
    private readonly fleet: Fleet,
    private readonly leaders: Leaders,
  ) {
    this.#finished = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#finished
    await Promise.all(this.#asking.values())
    await Promise.all([...this.recorders.values()].map((recorder) => recorder.stop()))
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const { servers } = this.fleet
      for (const server of servers) {
        if (!server.isWitness && !this.recorders.has(server))
          this.recorders.set(server, new Recorder(server))
        // One that does not answer holds nobody else up.
        if (!this.#asking.has(server)) this.#asking.set(server, this.#ask(server))
      }
      for (const [server, recorder] of this.recorders) {
        if (!servers.includes(server)) void recorder.stop()
      }
      await sleep(ROUND)
    }
  }

  async #ask(server: Server): Promise<void> {
    const [standing, membership] = await Promise.all([standingOf(server), membershipOf(server)])
    this.#asking.delete(server)
    // Another one may be in its place by now.
    if (!this.fleet.servers.includes(server)) return
    if (standing?.id === server.id) this.leaders.heard(standing)
    if (membership !== undefined) this.fleet.memberships.heard(server.id, membership)
  }
}
