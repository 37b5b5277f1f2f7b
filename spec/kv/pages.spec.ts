import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DELETED, EXPIRED, Pages, PUT, type Kind, type Row } from '../../kv/pages.ts'

const rows: fc.Arbitrary<Row> = fc.record({
  kind: fc.constantFrom<Kind[]>(PUT, DELETED, EXPIRED),
  key: fc.string({ unit: 'binary', maxLength: 8 }),
  value: fc.uint8Array({ maxLength: 40 }),
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

it('keeps values of any size, of its own, that do not change when others come', () => {
  const pages = new Pages()
  const large = new Uint8Array(100_000).fill(7)
  pages.push(PUT, 'small', new Uint8Array([1, 2]), 1)
  const early = pages.at(0)!.value
  pages.push(PUT, 'large', large, 2)
  large.fill(0)
  pages.push(PUT, 'last', new Uint8Array([3]), 3)
  expect(early).toEqual(new Uint8Array([1, 2]))
  expect(pages.at(1)!.value).toEqual(new Uint8Array(100_000).fill(7))
  expect(pages.at(2)!.value).toEqual(new Uint8Array([3]))
})
