const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** CRC-32 in plain code. */
export function plainCrc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

/**
 * CRC-32 as in zlib, by zlib itself where there is Node, and in plain code elsewhere, as in a browser. `before` is
 * that of the bytes that come before these.
 */
export const crc32: (bytes: Uint8Array, before?: number) => number =
  globalThis.process?.getBuiltinModule?.('node:zlib')?.crc32 ?? plainCrc32
