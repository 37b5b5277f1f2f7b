import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Load } from './load.ts'
import type { Measured } from './meter.ts'
import { freePort, freePorts } from './ports.ts'
import { launch, type Ground, type Server, type Subject } from './server.ts'
import type { Handles, Memory, Place } from './worker.ts'

/** What one run came to. */
export interface Outcome {
  /** Durable commits a second. */
  readonly rate: number
  /** Milliseconds from the command to its result. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  /** Processor time that a commit takes on all servers together, in µs. */
  readonly cpu: number
  /** The leader first. */
  readonly processes: readonly Usage[]
}

export interface Usage {
  /** Seconds of processor time in each second. */
  readonly cpu: number
  /** Bytes. */
  readonly rss: number
}

const IDS = ['a', 'b', 'c']

/** Starts the subject as three processes on an empty disk, or as many as it says. */
export async function start(subject: Subject, ground: Ground): Promise<Cluster> {
  const directory = mkdtempSync(join(ground.directory, `${subject.name}-`))
  const ids = IDS.slice(0, subject.processes)
  const ports = await freePorts(ids.length)
  const members = ids.map((id, i) => ({ id, port: ports[i]! }))
  const found = { members, directory, way: subject.way, joins: false }
  const servers = ids.map((id) => launch(subject, { ...found, id }, ground))
  try {
    const leads = await Promise.all(servers.map((server) => server.call('start')))
    const leader = leads.indexOf(true)
    if (leader < 0) throw new Error(`${subject.name}: nobody leads`)
    const first = <T>(all: readonly T[]): T[] => [
      all[leader]!,
      ...all.filter((_, i) => i !== leader),
    ]
    const add = (place: Pick<Place, 'id' | 'members'>): Server =>
      launch(subject, { ...found, ...place, joins: true }, ground)
    return new Cluster(directory, first(ids), members, first(servers), add)
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()))
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}

/** Until a new load runs evenly. */
const SETTLE_MS = 300

/** Processes that have found their leader. */
export class Cluster {
  constructor(
    /** Where the servers' directories are, each named as its server. */
    readonly directory: string,
    /** The leader first. */
    readonly ids: readonly string[],
    private readonly members: Place['members'],
    /** The leader first. */
    private readonly servers: readonly Server[],
    private readonly launch: (place: Pick<Place, 'id' | 'members'>) => Server,
  ) {}

  /** Puts a load on. */
  async drive(load: Load): Promise<void> {
    await this.#leader.call('drive', load)
    await sleep(SETTLE_MS)
  }

  /** Takes the load off. */
  async rest(): Promise<void> {
    await this.#leader.call('rest')
  }

  /** Measures the load while this is done. */
  async during(work: () => Promise<unknown>): Promise<Outcome> {
    await Promise.all(this.servers.map((server) => server.call('begin')))
    await work()
    return outcome(await Promise.all(this.servers.map((server) => server.call('end'))))
  }

  /** Puts a load on, measures it for so many seconds, and takes it off. */
  async measure(load: Load, seconds: number): Promise<Outcome> {
    await this.drive(load)
    const measured = await this.during(() => sleep(seconds * 1000))
    await this.rest()
    return measured
  }

  /** Commands that were settled since the load was put on. */
  count(): Promise<number> {
    return this.#leader.call('count')
  }

  memory(): Promise<readonly Memory[]> {
    return Promise.all(this.servers.map((server) => server.call('memory')))
  }

  /** Bytes of each process as it is, without collecting garbage. */
  rss(): Promise<readonly number[]> {
    return Promise.all(this.servers.map((server) => server.call('rss')))
  }

  /** Asks the leader to do something that its script can do. */
  lead(act: string, argument?: unknown): Promise<unknown> {
    return this.#leader.call('act', act, argument)
  }

  /** Has a follower work for this share of the time only, until the returned function is called. */
  slow(share: number): () => void {
    return this.servers[1]!.slow(share)
  }

  /** What keeps each process alive, the leader's first. */
  handles(): Promise<readonly Handles[]> {
    return Promise.all(this.servers.map((server) => server.call('handles')))
  }

  /** Asks all servers at once. */
  all(act: string, argument?: unknown): Promise<unknown[]> {
    return Promise.all(this.servers.map((server) => server.call('act', act, argument)))
  }

  /** Starts one more server, on an empty disk, for the others to take in. */
  async add(id: string): Promise<Added> {
    const port = await freePort()
    const server = this.launch({ id, members: [...this.members, { id, port }] })
    await server.call('start')
    const stop = async (): Promise<void> => {
      await server.stop()
      rmSync(join(this.directory, id), { recursive: true, force: true })
    }
    const ask = (act: string): Promise<unknown> => server.call('act', act)
    return { address: `127.0.0.1:${port}`, ask, stop }
  }

  /** Ends the processes, and leaves nothing behind. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()))
    rmSync(this.directory, { recursive: true, force: true })
  }

  get #leader(): Server {
    return this.servers[0]!
  }
}

/** A server that the others do not know yet. */
export interface Added {
  readonly address: string
  ask(act: string): Promise<unknown>
  stop(): Promise<void>
}

function outcome(all: readonly Measured[]): Outcome {
  const { rate, p50, p99, p999, max } = all[0]!
  const seconds = all.reduce((sum, { cpu }) => sum + cpu, 0)
  return { rate, p50, p99, p999, max, cpu: (seconds / rate) * 1e6, processes: all }
}
