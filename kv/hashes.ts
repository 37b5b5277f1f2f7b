import { crc32 } from 'node:zlib'

/** 32 bits of hash of texts, bytes and whole numbers, in their order. */
export function hashOf(...parts: readonly (string | Uint8Array | number)[]): number {
  let hash = parts.length
  for (const part of parts) {
    if (typeof part === 'number') hash = mixed(mixed(hash, part | 0), part / 2 ** 32)
    else if (typeof part === 'string') hash = mixed(hash, ofText(part))
    else hash = mixed(hash, ofBytes(part))
  }
  return mixed(hash, hash >>> 16)
}

function ofText(text: string): number {
  let hash = text.length
  for (let i = 0; i < text.length; i++) hash = stirred(hash, text.charCodeAt(i))
  return hash
}

/** Bytes beyond which a call out of JavaScript is worth its while. */
const FEW = 512

function ofBytes(bytes: Uint8Array): number {
  const { length } = bytes
  if (length > FEW) return crc32(bytes)
  // Two that do not wait for each other.
  let [even, odd] = [length, ~length]
  let i = 0
  for (; i + 8 <= length; i += 8) {
    even = stirred(even, wordAt(bytes, i))
    odd = stirred(odd, wordAt(bytes, i + 4))
  }
  for (; i < length; i++) even = stirred(even, bytes[i]!)
  return mixed(even, odd)
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

/** Each value has a hash of its own after each step: nothing is lost by it. */
function stirred(hash: number, value: number): number {
  const product = Math.imul(hash ^ value, 0x9e3779b1)
  return (product << 13) | (product >>> 19)
}

/** Spreads the bits, so that sums of hashes tell as much as the hashes. */
function mixed(hash: number, value: number): number {
  const product = Math.imul(hash ^ value, 0x9e3779b1)
  return Math.imul(product ^ (product >>> 15), 0x85ebca6b)
}
