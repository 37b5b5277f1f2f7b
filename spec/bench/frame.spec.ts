import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Block } from '../../bench/ceiling/block.ts'
import { ACK_BYTES, AckReader, FrameReader } from '../../bench/ceiling/frame.ts'

/** The bytes, cut where the numbers say. */
function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const ends = [...at.map((n) => n % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
}

const cuts = fc.array(fc.nat(), { maxLength: 20 })

it('counts a frame once it is whole, wherever the stream is cut', () => {
  const sizes = fc.array(fc.array(fc.nat(3000), { minLength: 1 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(sizes, cuts, (frames, at) => {
      let last = 0
      const bytes = frames.map((commands) => {
        const block = new Block()
        commands.forEach((size) => block.add(new Uint8Array(size).fill(7)))
        return block.seal((last += commands.length))
      })
      const ends = bytes.map((_, i) =>
        bytes.slice(0, i + 1).reduce((sum, it) => sum + it.length, 0),
      )
      const reader = new FrameReader()
      let read = 0
      for (const chunk of cut(Buffer.concat(bytes), at)) {
        reader.read(chunk)
        read += chunk.length
        const whole = ends.filter((end) => end <= read).length
        expect(reader.last).toBe(frames.slice(0, whole).flat().length)
      }
    }),
  )
})

it('reads the newest acknowledgement, wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1 }), cuts, (numbers, at) => {
      const bytes = new Uint8Array(numbers.length * ACK_BYTES)
      const view = new DataView(bytes.buffer)
      numbers.forEach((number, i) => view.setFloat64(i * ACK_BYTES, number, true))
      const reader = new AckReader()
      for (const chunk of cut(bytes, at)) reader.read(chunk)
      expect(reader.last).toBe(numbers.at(-1))
    }),
  )
})
