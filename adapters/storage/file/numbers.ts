/** A whole number of up to 53 bits in 8 bytes, little endian. */
export function writeU64(bytes: Buffer, value: number, offset: number): void {
  bytes.writeUInt32LE(value >>> 0, offset)
  bytes.writeUInt32LE(Math.floor(value / 2 ** 32), offset + 4)
}

export function readU64(bytes: Buffer, offset: number): number {
  const high = bytes.readUInt32LE(offset + 4)
  const low = bytes.readUInt32LE(offset)
  // To the engine of JavaScript a sum with a large number is an object of its own, also where it is small.
  return high === 0 ? low : low + high * 2 ** 32
}

/** What a disk writes whole or not at all, at the least. */
export const SECTOR = 512

const ZEROS = Buffer.alloc(1 << 16)

/** Whether nothing but zeros stands from `start` to before `end`. */
export function isZero(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += ZEROS.length) {
    const length = Math.min(ZEROS.length, end - at)
    if (bytes.compare(ZEROS, 0, length, at, at + length) !== 0) return false
  }
  return true
}
