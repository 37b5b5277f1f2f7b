import type { Meter } from './meter.ts'

/** Hears of one command: settled, or lost. */
export interface Settle {
  applied(): void
  failed(error: unknown): void
}

export type Submit = (command: Uint8Array, settle: Settle) => void

/** So many commands on their way at any time, or so many a second, whatever becomes of them. */
export type Load = { readonly outstanding: number } | { readonly perSecond: number }

const COMMAND_BYTES = 64

/** Only one command in so many is timed, so that the clock does not show in the result. */
export const sampling = (outstanding: number): number => Math.max(1, outstanding >> 4)

/** As many commands of 64 bytes, each different. */
export function commands(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const command = new Uint8Array(COMMAND_BYTES)
    new DataView(command.buffer).setUint32(0, i, true)
    return command.fill(i, 4)
  })
}

/** Submits as the load says, as long as the meter is on. */
export function drive(submit: Submit, load: Load, meter: Meter): void {
  if ('outstanding' in load) closedLoop(submit, load.outstanding, meter)
  else openLoop(submit, load.perSecond, meter)
}

/** Milliseconds between the commands of an open loop that are due together. */
const TICK_MS = 2

/**
 * Submits at an even pace. Each latency counts from when the command was due, so that a process that was held up
 * tells of all the commands that had to wait, not only of those that were on their way.
 */
function openLoop(submit: Submit, perSecond: number, meter: Meter): void {
  const perTick = Math.max(1, Math.round((perSecond * TICK_MS) / 1000))
  const interval = (1000 * perTick) / perSecond
  const [command] = commands(1)
  let due = performance.now()
  const tick = (): void => {
    if (!meter.isOn) return
    for (const now = performance.now(); due <= now; due += interval) {
      const began = due
      const settle: Settle = {
        applied: () => {
          meter.sample(performance.now() - began)
          meter.count++
        },
        failed: fail,
      }
      for (let i = 0; i < perTick; i++) submit(command!, settle)
    }
    setTimeout(tick, due - performance.now())
  }
  tick()
}

/**
 * Keeps `outstanding` commands on their way, as long as the meter is on: each that is settled is replaced
 * by its callback.
 */
function closedLoop(submit: Submit, outstanding: number, meter: Meter): void {
  const every = sampling(outstanding)
  const slots = commands(outstanding).map((command, i) =>
    i % every === 0 ? timed(command, submit, meter) : counted(command, submit, meter),
  )
  for (const begin of slots) begin()
}

function counted(command: Uint8Array, submit: Submit, meter: Meter): () => void {
  const settle: Settle = {
    applied: () => {
      meter.count++
      if (meter.isOn) submit(command, settle)
    },
    failed: fail,
  }
  return () => submit(command, settle)
}

function timed(command: Uint8Array, submit: Submit, meter: Meter): () => void {
  let began = 0
  const settle: Settle = {
    applied: () => {
      const now = performance.now()
      meter.sample(now - began)
      meter.count++
      began = now
      if (meter.isOn) submit(command, settle)
    },
    failed: fail,
  }
  return () => {
    began = performance.now()
    submit(command, settle)
  }
}

export function fail(error: unknown): void {
  throw error
}
