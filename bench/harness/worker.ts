import { setTimeout as sleep } from 'node:timers/promises'
import { answerCalls } from './calls.ts'
import { fail, type Load } from './load.ts'
import { Meter, type Measured } from './meter.ts'

/** Where a process stands in its cluster. */
export interface Place {
  readonly id: string
  readonly members: readonly { readonly id: string; readonly port: number }[]
  /** Whether the others run without it, and are to take it in. */
  readonly joins: boolean
  readonly directory: string
  /** What the subject makes of it: how the engine is driven. */
  readonly way: string
}

/** A process that has found its place. */
export interface Member {
  readonly leads: boolean
  /** Submits as long as the meter is on. */
  readonly drive?: (load: Load, meter: Meter) => void
  /** What else it can be asked to do. */
  readonly acts?: Readonly<Record<string, (argument: unknown) => unknown>>
}

/** Bytes of a process's memory, after garbage was collected. */
export interface Memory {
  readonly rss: number
  readonly heapUsed: number
  /** Outside of the heap: array buffers, above all. */
  readonly external: number
}

/** How many of each kind keep a process alive: timers, sockets, requests of the system's. */
export type Handles = Readonly<Record<string, number>>

/** What every process of a cluster can be asked. */
export interface Worker {
  /** Finds its place, and says whether it leads. */
  readonly start: () => Promise<boolean>
  readonly drive: (load: Load) => void
  readonly begin: () => void
  readonly end: () => Measured
  /** Submits nothing more, and waits until the last of its commands are settled. */
  readonly rest: () => Promise<void>
  /** Settled commands since `begin`. */
  readonly count: () => number
  readonly memory: () => Memory
  readonly rss: () => number
  readonly handles: () => Handles
  readonly act: (name: string, argument?: unknown) => unknown
}

const DRAIN_MS = 200

/** Runs one process of a cluster, until its parent hangs up. */
export function work(start: (place: Place) => Promise<Member>): void {
  const place = JSON.parse(process.argv[2]!) as Place
  // Profiles are written on an orderly exit.
  process.once('disconnect', () => process.exit())
  let member: Member
  let meter = new Meter()
  answerCalls<Worker>({
    start: async () => (member = await start(place)).leads,
    drive: (load) => {
      meter = new Meter()
      member.drive?.(load, meter)
    },
    begin: () => meter.begin(),
    end: () => meter.end(),
    rest: async () => {
      meter.stop()
      await sleep(DRAIN_MS)
    },
    count: () => meter.count,
    memory,
    rss: () => process.memoryUsage.rss(),
    handles,
    act: (name, argument) => {
      const act = member.acts?.[name]
      if (act === undefined) throw new Error(`nobody can "${name}" here`)
      return act(argument)
    },
  })
  process.on('unhandledRejection', fail)
}

function memory(): Memory {
  // What the first collection finds unreachable, it may free only in the second.
  for (let i = 0; i < 2; i++) globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, heapUsed, external }
}

function handles(): Handles {
  const count: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) count[kind] = (count[kind] ?? 0) + 1
  return count
}
