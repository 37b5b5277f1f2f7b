import type { Meter } from './meter.ts'

/** Hears of one command: settled, or lost. */
export interface Settle {
  applied(): void
  failed(error: unknown): void
}

export type Submit = (command: Uint8Array, settle: Settle) => void

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

/**
 * Keeps `outstanding` commands on their way, as long as the meter is on: each that is settled is replaced
 * by its callback.
 */
export function closedLoop(submit: Submit, outstanding: number, meter: Meter): void {
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
