import { crc32 } from 'node:zlib'

/** Shorter pieces are summed again sooner than their sum is found and joined. */
export const LARGE_BYTES = 4 * 1024

const known = new WeakMap<Uint8Array, number>()

/**
 * CRC-32 of bytes that are never written again. One pass serves everybody who asks: the wire that they
 * came on, the file that they go to and the wires that they leave by.
 */
export function checksumOf(bytes: Uint8Array): number {
  if (bytes.length < LARGE_BYTES) return crc32(bytes)
  const crc = known.get(bytes) ?? crc32(bytes)
  known.set(bytes, crc)
  return crc
}

/** Notes a checksum that was compared with these bytes already. */
export function noteChecksum(bytes: Uint8Array, crc: number): void {
  if (bytes.length >= LARGE_BYTES) known.set(bytes, crc)
}

/** CRC-32 of two pieces together, of which the second has `length` bytes, from those of each. */
export function joinChecksums(first: number, second: number, length: number): number {
  let crc = first
  for (let rest = length, power = 0; rest > 0; rest = Math.floor(rest / 2), power++) {
    if (rest % 2 === 1) crc = times(zerosOf(power), crc)
  }
  return (crc ^ second) >>> 0
}

/**
 * What bytes of zero do to a CRC is linear: a matrix over GF(2), a column for each bit. That of twice as
 * many bytes is its square.
 */
type Matrix = Int32Array

const POLYNOMIAL = 0xedb88320

/** The matrix of 2^`power` bytes of zero, computed once. */
function zerosOf(power: number): Matrix {
  return (powers[power] ??= power === 0 ? byteOfZero() : square(zerosOf(power - 1)))
}
const powers: Matrix[] = []

function byteOfZero(): Matrix {
  const bit = Int32Array.from({ length: 32 }, (_, i) => (i === 0 ? POLYNOMIAL : 1 << (i - 1)))
  return square(square(square(bit)))
}

const square = (matrix: Matrix): Matrix => matrix.map((column) => times(matrix, column))

function times(matrix: Matrix, vector: number): number {
  let product = 0
  for (let bits = vector, i = 0; bits !== 0; bits >>>= 1, i++) {
    if (bits & 1) product ^= matrix[i]!
  }
  return product
}
