import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pack } from '../../../lib/batch.ts'
import { Packer } from '../../../operators/engine/packer.ts'

const bytes = (length: number, value = length) => new Uint8Array(length).fill(value)

/** `toEqual` walks large arrays byte by byte. */
const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

describe('packer', () => {
  it('packs what a batch packs, whatever its sizes', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })
    fc.assert(
      fc.property(fc.array(payloads, { maxLength: 5 }), (batches) => {
        const packer = new Packer()
        for (const batch of batches) {
          for (const payload of batch) packer.add(payload)
          expect(packer.size).toBe(pack(batch).length)
          expect(packer.take()).toEqual(pack(batch))
        }
      }),
      { numRuns: 50 },
    )
  })

  it('begins another slab in the middle of a batch', () => {
    const packer = new Packer()
    const large = [bytes(200_000, 1), bytes(100_000, 2), bytes(300_000, 3), bytes(0)]
    for (const payload of large) packer.add(payload)
    expect(isSame(packer.take(), pack(large))).toBe(true)
  })

  it('never writes again to what it gave away', () => {
    const packer = new Packer()
    const taken = Array.from({ length: 2000 }, (_, i) => {
      packer.add(bytes(i % 700, i % 256))
      return packer.take()
    })
    const written = taken.filter((batch, i) => !isSame(batch, pack([bytes(i % 700, i % 256)])))
    expect(written).toEqual([])
  })

  it('copies: a caller may write to its command again', () => {
    const packer = new Packer()
    const command = bytes(3, 7)
    packer.add(command)
    command.fill(9)
    expect(packer.take()).toEqual(pack([bytes(3, 7)]))
  })

  it('cuts small batches from one allocation', () => {
    const packer = new Packer()
    packer.add(bytes(10))
    const first = packer.take()
    packer.add(bytes(10))
    expect(packer.take().buffer).toBe(first.buffer)
  })
})
