import { NEVER } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../lib/errors.ts'
import { changing } from '../../../operators/engine/changing.ts'
import { Orders } from '../../../operators/engine/orders.ts'

describe('a change of members that would be none on the other servers', () => {
  it.each([
    ['voters', { voters: [''] }],
    ['voters', { voters: 'b' }],
    ['learners', { learners: [7] }],
    ['remove', { remove: null }],
    ['addresses', { addresses: { b: 7 } }],
    ['priorities', { priorities: { b: NaN } }],
    ['priorities', { priorities: { b: 101 } }],
    ['priorities', { priorities: [null] }],
  ])('is refused by name, and nobody hears of it: %s in %o', (option, plan) => {
    const asked: unknown[] = []
    const orders = new Orders<never, number>((_, what) => asked.push(what) > 0)
    const errors: unknown[] = []
    changing(orders as never, NEVER, plan as never).subscribe({
      error: (it: unknown) => errors.push(it),
    })
    expect(errors).toMatchObject([{ code: 'config', option }])
    expect(errors[0]).toBeInstanceOf(ConfigError)
    expect(asked).toEqual([])
  })
})
