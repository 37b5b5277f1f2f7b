import { crc32 } from 'node:zlib'

/** 32 bits of hash of texts, bytes and whole numbers, in their order. */
export function hashOf(...parts: readonly (string | Uint8Array | number)[]): number {
  let hash = parts.length
  for (const part of parts) {
    if (typeof part !== 'number') hash = mixed(hash, crc32(part))
    else hash = mixed(mixed(hash, part | 0), part / 2 ** 32)
  }
  return mixed(hash, hash >>> 16)
}

/** Spreads the bits, so that sums of hashes tell as much as the hashes. */
function mixed(hash: number, value: number): number {
  const product = Math.imul(hash ^ value, 0x9e3779b1)
  return Math.imul(product ^ (product >>> 15), 0x85ebca6b)
}
