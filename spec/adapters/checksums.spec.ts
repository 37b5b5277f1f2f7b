import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checksumOf, joinChecksums, noteChecksum } from '../../adapters/checksums.ts'
import { crc32 as chosen, plainCrc32 } from '../../adapters/crc32.ts'

describe('checksums', () => {
  it('of two pieces make that of both together', () => {
    const bytes = fc.uint8Array({ maxLength: 70_000 })
    fc.assert(
      fc.property(bytes, bytes, (first, second) => {
        const joined = joinChecksums(crc32(first), crc32(second), second.length)
        expect(joined).toBe(crc32(Buffer.concat([first, second])))
      }),
    )
  })

  it('join in any grouping, as a checksum that goes on does', () => {
    const pieces = [Buffer.alloc(5_000, 1), Buffer.alloc(1, 2), Buffer.alloc(70_000, 3)]
    const joined = pieces.reduce((crc, piece, i) => {
      return i === 0 ? crc32(piece) : joinChecksums(crc, crc32(piece), piece.length)
    }, 0)
    expect(joined).toBe(crc32(Buffer.concat(pieces)))
    expect(crc32(Buffer.from('rest'), joined)).toBe(
      crc32(Buffer.concat([...pieces, Buffer.from('rest')])),
    )
  })

  it('are taken once of large bytes, and not at all when they were compared before', () => {
    const noted = new Uint8Array(5_000)
    noteChecksum(noted, 42)
    expect(checksumOf(noted)).toBe(42)
    const computed = new Uint8Array(5_000)
    const crc = checksumOf(computed)
    computed[0] = 1
    expect(checksumOf(computed)).toBe(crc)
  })

  it('of small bytes are taken anew', () => {
    const bytes = new Uint8Array(100)
    noteChecksum(bytes, 42)
    expect(checksumOf(bytes)).toBe(crc32(bytes))
  })
})

it('without Node they are what zlib says, in one go or going on', () => {
  const bytes = fc.uint8Array({ maxLength: 1_000 })
  fc.assert(
    fc.property(bytes, bytes, (first, second) => {
      const whole = crc32(Buffer.concat([first, second]))
      expect(plainCrc32(second, plainCrc32(first))).toBe(whole)
      expect(chosen(second, chosen(first))).toBe(whole)
    }),
  )
})
