import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DELETED, EXPIRED, Pages, PUT, type Kind, type Row } from '../../kv/pages.ts'

const rows: fc.Arbitrary<Row> = fc.record({
  kind: fc.constantFrom<Kind[]>(PUT, DELETED, EXPIRED),
  key: fc.string({ unit: 'binary', maxLength: 8 }),
  value: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ minLength: 250, maxLength: 260 }),
  ),
  version: fc.nat(),
})

const sizeOf = ({ key, value }: Row): number => key.length + value.length

it('is the queue that an array of the same changes is, over many pages', () => {
  fc.assert(
    fc.property(
      fc.array(rows, { minLength: 1, maxLength: 20 }),
      fc.nat({ max: 3_000 }),
      (some, cut) => {
        const pages = new Pages()
        const model: Row[] = []
        for (let i = 0; i < 4_000; i++) {
          const row = some[i % some.length]!
          pages.push(row.kind, row.key, row.value, row.version)
          model.push(row)
          if (i % 3 === 0 && i < cut) {
            pages.shift()
            model.shift()
          }
        }
        expect(pages).toHaveLength(model.length)
        for (let i = 0; i < model.length; i += 97) {
          expect(pages.at(i)).toEqual(model[i])
          expect(pages.versionAt(i)).toBe(model[i]!.version)
          expect(pages.sizeAt(i)).toBe(sizeOf(model[i]!))
        }
        expect([pages.at(-1), pages.at(model.length)]).toEqual([undefined, undefined])
      },
    ),
    { numRuns: 20 },
  )
})

it('is empty after the last has gone, and can be filled again', () => {
  const pages = new Pages()
  for (let round = 1; round <= 3; round++) {
    for (let i = 0; i < 1_024; i++) pages.push(PUT, `${i}`, new Uint8Array(1), round)
    for (let i = 0; i < 1_024; i++) pages.shift()
    expect(pages.at(0)).toBeUndefined()
  }
  pages.push(PUT, 'x', new Uint8Array([1]), 9)
  expect(pages.at(0)).toEqual({ kind: PUT, key: 'x', value: new Uint8Array([1]), version: 9 })
})

it('copies small values, keeps large ones as they are, and changes neither when others come', () => {
  const pages = new Pages()
  const small = new Uint8Array([1, 2])
  pages.push(PUT, 'small', small, 1)
  small.fill(0)
  const early = pages.at(0)!.value
  const large = new Uint8Array(100_000)
  pages.push(PUT, 'large', large, 2)
  for (let i = 0; i < 300; i++) pages.push(PUT, 'x', new Uint8Array(256).fill(i), 3)
  expect(early).toEqual(new Uint8Array([1, 2]))
  expect(pages.at(0)!.value).toEqual(early)
  expect(pages.at(1)!.value).toBe(large)
  expect([0, 1, 2].map((i) => pages.sizeAt(i))).toEqual([7, 100_005, 257])
  for (let i = 0; i < 300; i++) expect(pages.at(2 + i)!.value).toEqual(new Uint8Array(256).fill(i))
})

it('lets go of what it forgets', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const pages = new Pages()
  const values: WeakRef<Uint8Array>[] = []
  for (let i = 0; i < 4_096; i++) {
    const value = new Uint8Array(1_000)
    values.push(new WeakRef(value))
    pages.push(PUT, 'x', value, i)
    if (i >= 1_024) pages.shift()
  }
  // A weak reference holds on until the turn in which it was made or asked has ended.
  await new Promise(setImmediate)
  collect()
  const held = values.filter((it) => it.deref() !== undefined).length
  // Those that are there, and those on the page of the first of them.
  expect(held).toBeGreaterThanOrEqual(1_024)
  expect(held).toBeLessThanOrEqual(2_048)
  expect(pages).toHaveLength(1_024)
})
