import { describe, expect, it } from 'vitest'
import { Slab } from '../../lib/slab.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** Fills the rest of the slab with one piece, and gives the length of the slab that comes after it. */
function nextSlab(slab: Slab): number {
  slab.end = slab.bytes.length
  slab.take()
  slab.reserve(1)
  return slab.bytes.length
}

describe('a slab', () => {
  it('is as large as all before it together, from 64 KiB to 64 MiB', () => {
    const slab = new Slab()
    const lengths = Array.from({ length: 13 }, () => nextSlab(slab))
    const doubling = [64, 64, 128, 256, 512].map((kib) => kib * KIB)
    expect(lengths).toEqual([...doubling, ...[1, 2, 4, 8, 16, 32, 64, 64].map((mib) => mib * MIB)])
  })

  it('has room for a piece that is larger than itself', () => {
    const slab = new Slab()
    slab.reserve(100 * KIB)
    expect(slab.bytes.length).toBe(100 * KIB)
  })

  it('is used to its last byte before another one is taken', () => {
    const slab = new Slab()
    slab.reserve(1)
    const { bytes } = slab
    slab.add(new Uint8Array(bytes.length - 2))
    slab.take()
    slab.reserve(2)
    expect(slab.bytes === bytes).toBe(true)
    slab.reserve(3)
    expect(slab.bytes === bytes).toBe(false)
  })

  it('takes an open piece along when it moves, and nothing of the one before it', () => {
    const slab = new Slab()
    slab.reserve(64 * KIB)
    slab.add(Uint8Array.of(1, 2))
    expect(slab.take()).toEqual(Uint8Array.of(1, 2))
    slab.add(Uint8Array.of(3, 4))
    expect(slab.size).toBe(2)
    slab.reserve(80 * KIB)
    expect(slab.bytes.length).toBe(80 * KIB + 2)
    slab.add(Uint8Array.of(5))
    expect(slab.size).toBe(3)
    expect(slab.take()).toEqual(Uint8Array.of(3, 4, 5))
    expect(slab.size).toBe(0)
  })
})
