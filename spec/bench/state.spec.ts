import { isDeepStrictEqual } from 'node:util'
import { expect, it } from 'vitest'
import { commands } from '../../bench/harness/load.ts'
import * as buffers from '../../bench/large/buffers.ts'
import { apply, empty, growth, pieces, restore, type Large } from '../../bench/large/state.ts'

const after = (state: Large, all: readonly Uint8Array[]): Large =>
  all.reduce((before, command) => apply(before, command)[0], state)

const grown = after(empty, [growth(), growth()])

it('is restored from its pieces', () => {
  const state = after(grown, commands(50))
  expect(isDeepStrictEqual([...pieces(state)].reduce(restore, empty), state)).toBe(true)
})

it('never changes in place', () => {
  const before = structuredClone(grown)
  const changed = after(grown, commands(50))
  expect(isDeepStrictEqual(grown, before)).toBe(true)
  expect(isDeepStrictEqual(grown, changed)).toBe(false)
})

it('lies in a few buffers, and is restored from their pieces', () => {
  const all = [growth(), growth(), ...commands(50)]
  const state = all.reduce((before, command) => buffers.apply(before, command)[0], buffers.empty)
  // One state at a time: what is coming changes in place.
  const coming = [...buffers.pieces(state)].reduce(buffers.restore, buffers.empty)
  expect(state.groups).toHaveLength(2)
  expect(isDeepStrictEqual(coming, state)).toBe(true)
})
