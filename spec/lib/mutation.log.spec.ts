import { describe, expect, it } from 'vitest'
import { isPacked } from '../../lib/batch.ts'
import { append, emptyLog, read } from '../../lib/log.ts'
import { batchOf, logOf } from './bench/entries.ts'

describe('a batch of a stranger', () => {
  it('that names more payloads than it has bytes for is seen through at its end', () => {
    let reads = 0
    const bytes = new Proxy(new Uint8Array(8), {
      get(target, key) {
        if (++reads > 100) throw new Error('it reads on and on')
        return Reflect.get(target, key) as unknown
      },
    })
    expect(isPacked(bytes, Number.MAX_SAFE_INTEGER)).toBe(false)
  })
})

describe('a log', () => {
  it('names the entry that cannot follow', () => {
    expect(() => append(emptyLog(), [...logOf([2]), ...logOf([1], 3)])).toThrow(
      'entry 3@1 cannot follow entry 1@2',
    )
  })

  it('is read up to a limit in bytes, the limit included', () => {
    const batches = [1, 2, 3].map((index) => batchOf(index, 1, ['six...']))
    expect(read(append(emptyLog(), batches), 1, 3, 20)).toEqual(batches.slice(0, 2))
  })
})
