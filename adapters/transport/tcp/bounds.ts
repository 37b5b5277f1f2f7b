import { asyncScheduler, type SchedulerLike } from 'rxjs'
import { ConfigError } from '../../../lib/errors.ts'

/** How large frames may be, and how long things may take, on every wire. `TcpOptions` says what each means. */
export interface Bounds {
  readonly maxFrameBytes: number
  readonly connectTimeout: number
  readonly helloTimeout: number
  readonly idleTimeout: number
  readonly backoff: readonly [min: number, max: number]
  readonly random: () => number
  readonly scheduler: SchedulerLike
}

const MIB = 1024 * 1024
const SMALLEST = 64 * 1024
const LARGEST = 1024 * MIB
const LONGEST = 600_000

/** Fills in the defaults. Throws `ConfigError` for what cannot be. */
export function bounds(options: Partial<Bounds>): Bounds {
  const { random = chance, scheduler = asyncScheduler } = options
  if (typeof random !== 'function') throw new ConfigError('random', random, 'a function')
  if (typeof scheduler.schedule !== 'function') {
    throw new ConfigError('scheduler', scheduler, 'a scheduler, such as asyncScheduler')
  }
  return {
    maxFrameBytes: bytesWithin('maxFrameBytes', options.maxFrameBytes ?? 128 * MIB),
    connectTimeout: within('connectTimeout', options.connectTimeout ?? 2_000, 1, LONGEST),
    helloTimeout: within('helloTimeout', options.helloTimeout ?? 1_000, 10, LONGEST),
    idleTimeout: within('idleTimeout', options.idleTimeout ?? 2_000, 20, LONGEST),
    backoff: checkBackoff(options.backoff ?? [50, 2_000]),
    random,
    scheduler,
  }
}

export const bytesWithin = (option: string, value: number): number =>
  within(option, value, SMALLEST, LARGEST)

const chance = (): number => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32

function within(option: string, value: number, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw new ConfigError(option, value, `a whole number from ${min} to ${max}`)
}

function checkBackoff(range: readonly [number, number]): readonly [min: number, max: number] {
  const [min, max] = Array.isArray(range) ? range : []
  const isRange = typeof min === 'number' && typeof max === 'number' && min >= 1 && max >= min
  if (isRange && max <= LONGEST) return range
  throw new ConfigError('backoff', range, `[min, max] in ms, 1 to ${LONGEST}, min not above max`)
}

const SECRET_BYTES = 16

/** A copy of the secret, which nobody else can change. Throws `ConfigError`. */
export function checkSecret(secret: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret
  if (bytes instanceof Uint8Array && bytes.length >= SECRET_BYTES) return Uint8Array.from(bytes)
  // The value itself is not shown: errors end in logs.
  const shown = bytes instanceof Uint8Array ? `${bytes.length} bytes long` : typeof secret
  throw new ConfigError('secret', shown, `at least ${SECRET_BYTES} random bytes, better 32`)
}
