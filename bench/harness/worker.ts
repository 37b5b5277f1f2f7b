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
export interface Measure {
  readonly outstanding: number
  readonly warmup: number
  readonly seconds: number
}

/** What a worker says. */
export type Said =
  | { readonly type: 'ready'; readonly leads: boolean }
  | { readonly type: 'measured'; readonly measured: Measured }

/** Runs one process of a cluster: it starts, says whether it leads, and measures when it is asked to. */
export function work(start: (place: Place) => Promise<Member>): void {
  const place = JSON.parse(process.argv[2]!) as Place
  // The parent ends a worker by hanging up; profiles are written on an orderly exit.
  process.once('disconnect', () => process.exit())
  start(place).then((member) => {
    process.on('message', ({ outstanding, warmup, seconds }: Measure) => {
      const meter = new Meter()
      if (member.leads) member.drive(outstanding, meter)
      setTimeout(() => {
        meter.begin()
        setTimeout(() => say({ type: 'measured', measured: meter.end() }), seconds * 1000)
      }, warmup * 1000)
    })
    say({ type: 'ready', leads: member.leads })
  }, fail)
}

const say = (said: Said): void => void process.send!(said)

function fail(error: unknown): void {
  console.error(error)
  process.exit(1)
}
