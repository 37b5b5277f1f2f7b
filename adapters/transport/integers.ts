/** The largest integer that a message may hold: 2^53 - 1, the largest that a number counts to exactly. */
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER

const HIGH = 2 ** 32
const MAX_HIGH = 2 ** 21

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  )
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

/** An integer of 8 bytes, or -1 when it is above {@link MAX_INTEGER}. */
export function readU53(bytes: Uint8Array, at: number): number {
  const high = readU32(bytes, at + 4)
  const low = readU32(bytes, at)
  // To the engine of JavaScript a sum with a large number is an object of its own, also where it is small.
  if (high === 0) return low
  return high < MAX_HIGH ? high * HIGH + low : -1
}

export function writeU53(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, value >>> 0)
  writeU32(bytes, at + 4, Math.floor(value / HIGH))
}
