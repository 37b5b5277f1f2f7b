import { rmSync } from 'node:fs'
import type { Cleanup } from './cleanup.ts'
import type { Memberships } from './memberships.ts'
import type { Site } from './network.ts'
import type { Server } from './server.ts'

/** Makes the server of this name at a place; `args` say how it comes into the cluster. */
export type Build = (site: Site, id: string, args: readonly string[], isWitness?: boolean) => Server

const VOTING: readonly (string | undefined)[] = ['voter', 'witness']

/** The servers as they come and go. No name is used twice, but the places are. */
export class Fleet {
  readonly #servers = new Set<Server>()
  readonly #leaving = new Set<Server>()
  readonly #past: Server[] = []
  /** Places that nobody has, the last one that became free at the end. */
  readonly #free: Site[]
  readonly #names = new Map<Site, number>()
  readonly #underWay = new Set<Promise<void>>()
  #isOver = false

  /** @param smallest So many servers stay in any case. */
  constructor(
    private readonly build: Build,
    founders: readonly Server[],
    spare: readonly Site[],
    readonly memberships: Memberships,
    private readonly smallest: number,
    cleanup: Cleanup,
  ) {
    this.#free = [...spare].reverse()
    for (const server of founders) this.#servers.add(server)
    cleanup.defer(() => this.servers.forEach((server) => server.close()))
  }

  /** Those that are in the cluster, on their way into it or on their way out. */
  get servers(): readonly Server[] {
    return [...this.#servers]
  }

  /** All that ever were. */
  get everybody(): readonly Server[] {
    return [...this.#past, ...this.#servers]
  }

  /** Those that are to stay. */
  get staying(): readonly Server[] {
    return this.servers.filter((server) => !this.#leaving.has(server))
  }

  /** Those that are to stay and vote already. */
  get voters(): readonly Server[] {
    return this.staying.filter(({ id }) => VOTING.includes(this.memberships.roleOf(id)))
  }

  /** Starts a new server, which asks one of the others to take it in; `undefined` when there is no place. */
  takeIn(...flags: string[]): Server | undefined {
    const contact = this.voters[0]
    const site = contact === undefined ? undefined : this.#free.pop()
    if (contact === undefined || site === undefined) return undefined
    const generation = (this.#names.get(site) ?? 1) + 1
    this.#names.set(site, generation)
    const server = this.build(site, `${site.id}${generation}`, ['--join', contact.url, ...flags])
    this.#servers.add(server)
    server.start()
    return server
  }

  /** Marks a server as one that is to leave; false when it may not, or is to leave already. */
  release(server: Server): boolean {
    const { voters } = this
    if (!voters.includes(server) || voters.length <= this.smallest) return false
    this.#leaving.add(server)
    server.dismiss()
    return true
  }

  /** Ends a server that has left, for good, and gives its place away. */
  async retire(server: Server): Promise<void> {
    if (!this.#servers.delete(server)) return
    this.#past.push(server)
    await server.end()
    rmSync(server.data, { recursive: true, force: true })
    this.#free.push(server.site)
  }

  /** Keeps something in mind that has to come to its end, also when the fault is over. */
  begin(work: Promise<void>): Promise<void> {
    this.#underWay.add(work)
    return work.finally(() => this.#underWay.delete(work))
  }

  /** Resolves when all that was begun has come to its end. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Nobody needs to insist on anything any more. */
  finish(): void {
    this.#isOver = true
  }
}
