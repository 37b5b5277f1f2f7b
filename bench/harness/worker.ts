import { setTimeout as sleep } from 'node:timers/promises'
import { Meter, type Measured } from './meter.ts'

/** Where a process stands in its cluster. */
export interface Place {
  readonly id: string
  readonly members: readonly { readonly id: string; readonly port: number }[]
  readonly directory: string
  /** What the subject makes of it: how the engine is driven. */
  readonly way: string
}

/** A process that has found its place. */
export type Member =
  | { readonly leads: false }
  | { readonly leads: true; readonly drive: (outstanding: number, meter: Meter) => void }

/** What every process of the cluster is asked for: the leader drives itself, the others follow. */
export interface Load {
  /** Commands on their way at any time. */
  readonly outstanding: number
  /** Seconds that are measured. */
  readonly seconds: number
}

/** What a worker says. */
export type Said =
  | { readonly type: 'ready'; readonly leads: boolean }
  | { readonly type: 'measured'; readonly measured: Measured }

/** Runs one process of a cluster: it starts, says whether it leads, and measures as often as it is asked to. */
export function work(start: (place: Place) => Promise<Member>): void {
  const place = JSON.parse(process.argv[2]!) as Place
  // The parent ends a worker by hanging up; profiles are written on an orderly exit.
  process.once('disconnect', () => process.exit())
  start(place).then((member) => {
    process.on('message', (load: Load) => {
      void measure(member, load).then((measured) => say({ type: 'measured', measured }))
    })
    say({ type: 'ready', leads: member.leads })
  }, fail)
}

/** Until a new load runs evenly, and until the last of its commands are settled. */
const SETTLE_MS = 300
const DRAIN_MS = 200

async function measure(member: Member, { outstanding, seconds }: Load): Promise<Measured> {
  const meter = new Meter()
  if (member.leads) member.drive(outstanding, meter)
  await sleep(SETTLE_MS)
  meter.begin()
  await sleep(seconds * 1000)
  const measured = meter.end()
  meter.stop()
  await sleep(DRAIN_MS)
  return measured
}

const say = (said: Said): void => void process.send!(said)

function fail(error: unknown): void {
  console.error(error)
  process.exit(1)
}
