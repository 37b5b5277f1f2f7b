import { msgpack, type Codec } from 'rxraft/client'
import type { Command, Result } from './machine.ts'

/**
 * Commands as MessagePack, byte for byte what `msgpack()` makes of them. The puts of which a store's log is full are written
 * and read by hand, in a quarter of the time: those of a value of up to 255 bytes, without a condition and a life, and with a key of
 * up to 31 characters of ASCII.
 */
export function commandCodec(): Codec<Command> {
  const any = msgpack<Command>()
  const pool = new Pool()
  return {
    encode: (command) => encodePut(command, pool) ?? any.encode(command),
    decode: (bytes) => decodePut(bytes, 0, bytes.length) ?? any.decode(bytes),
    decodeWithin: (bytes, start, end) =>
      decodePut(bytes, start, end) ?? any.decode(bytes.subarray(start, end)),
  }
}

/** Results as MessagePack, of which a number stands for a write that took effect: it is the version. */
export function resultCodec(): Codec<Result> {
  const any = msgpack<Result | number>()
  const pool = new Pool()
  const decode = (bytes: Uint8Array): Result => {
    const result = any.decode(bytes)
    return typeof result === 'number' ? { ok: true, version: result } : result
  }
  return {
    encode: (result) => {
      const isPlain = result.ok && result.first === undefined && result.expired === undefined
      if (!isPlain) return any.encode(result)
      const { version } = result
      return version > 0xffff_ffff ? any.encode(version) : encodeUint32(version, pool)
    },
    decode,
    decodeWithin: (bytes, start, end) =>
      bytes[start] === UINT32 && end === start + 5
        ? { ok: true, version: readUint32(bytes, start + 1) }
        : decode(bytes.subarray(start, end)),
  }
}

// The bytes of MessagePack that stand for these, or before them.
const [ARRAY_OF_4, TEXT_OF_0, TEXT_OF_31, BYTES_8, NULL, UINT32] = [
  0x94, 0xa0, 0xbf, 0xc4, 0xc0, 0xce,
]

/** An array of four, of which the first is the text `put`. */
const PUT = Uint8Array.of(ARRAY_OF_4, TEXT_OF_0 + 3, ...new TextEncoder().encode('put'))

/** Undefined for what is another command, or not of the form that is written here. */
function encodePut(command: Command, pool: Pool): Uint8Array | undefined {
  if (command[0] !== 'put' || command.length !== 4) return undefined
  const [, key, value, condition] = command
  const { length } = key
  if (condition !== null || length > 31 || !(value instanceof Uint8Array)) return undefined
  if (value.length > 0xff) return undefined
  const bytes = pool.take(PUT.length + 1 + length + 2 + value.length + 1)
  let at = 0
  for (; at < PUT.length; at++) bytes[at] = PUT[at]!
  bytes[at++] = TEXT_OF_0 + length
  for (let i = 0; i < length; i++) {
    const unit = key.charCodeAt(i)
    if (unit > 0x7f) return undefined
    bytes[at++] = unit
  }
  bytes[at++] = BYTES_8
  bytes[at++] = value.length
  bytes.set(value, at)
  bytes[at + value.length] = NULL
  return bytes
}

/** Where the characters of a key are put together, for each length. */
const UNITS = Array.from({ length: 32 }, (_, length) => new Array<number>(length).fill(0))

/** Undefined for what is another command, or not of the form that is written here. */
function decodePut(bytes: Uint8Array, start: number, end: number): Command | undefined {
  let at = start
  for (let i = 0; i < PUT.length; i++) if (bytes[at++] !== PUT[i]) return undefined
  const text = bytes[at++]!
  if (text < TEXT_OF_0 || text > TEXT_OF_31) return undefined
  const length = text - TEXT_OF_0
  const units = UNITS[length]!
  for (let i = 0; i < length; i++) {
    const unit = bytes[at++]!
    if (unit > 0x7f) return undefined
    units[i] = unit
  }
  if (bytes[at++] !== BYTES_8) return undefined
  const from = at + 1
  const to = from + bytes[at]!
  // What lies behind the end is of another command.
  if (to + 1 !== end || bytes[to] !== NULL) return undefined
  const value = new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from)
  return ['put', String.fromCharCode.apply(null, units), value, null]
}

function encodeUint32(value: number, pool: Pool): Uint8Array {
  const bytes = pool.take(5)
  bytes[0] = UINT32
  bytes[1] = value >>> 24
  bytes[2] = value >>> 16
  bytes[3] = value >>> 8
  bytes[4] = value
  return bytes
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  )
}

/** Small pieces of memory, cut from larger ones. */
class Pool {
  #memory = new ArrayBuffer(0)
  #at = 0

  take(size: number): Uint8Array {
    if (this.#at + size > this.#memory.byteLength) {
      this.#memory = new ArrayBuffer(POOL_BYTES)
      this.#at = 0
    }
    this.#at += size
    return new Uint8Array(this.#memory, this.#at - size, size)
  }
}

const POOL_BYTES = 16 * 1024
