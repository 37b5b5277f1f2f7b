import { describe, expect, it } from 'vitest'
import { Stopped } from '../../../lib/errors.ts'
import { Orders } from '../../../operators/engine/orders.ts'
import { ordered } from '../../../operators/engine/ordered.ts'
import { uncaughtDuring } from '../support.ts'

/** Orders of numbers, with what was raised and what was heard. */
function ordering(isRunning = true) {
  const raised: number[] = []
  const heard: unknown[] = []
  const orders = new Orders<string, number>((ticket) => {
    if (isRunning) raised.push(ticket)
    return isRunning
  })
  const order = () =>
    orders.order('it', { done: (result) => heard.push(result), fail: (error) => heard.push(error) })
  return { orders, order, raised, heard }
}

describe('orders', () => {
  it('are raised at once, each with a ticket of its own, and hear of their own answer once', () => {
    const { orders, order, raised, heard } = ordering()
    order()
    order()
    expect(new Set(raised).size).toBe(2)
    orders.answered(raised[1]!, 7)
    orders.answered(raised[1]!, 8)
    expect(heard).toEqual([7])
    orders.answered(raised[0]!, 9)
    orders.answered(99, 1)
    expect(heard).toEqual([7, 9])
  })

  it('that were taken back hear nothing', () => {
    const { orders, order, raised, heard } = ordering()
    order()()
    orders.answered(raised[0]!, 7)
    orders.stop()
    expect(heard).toEqual([])
  })

  it('of a node that does not run fail, and have done nothing', () => {
    const { order, heard } = ordering(false)
    order()()
    expect(heard).toMatchObject([{ code: 'stopped', outcome: 'none' }])
  })

  it('of a node that stops fail, once, with the cause; those that come later, too', () => {
    const { orders, order, heard } = ordering()
    const cause = new Error('disk')
    order()
    orders.stop(cause)
    orders.stop(new Error('again'))
    expect(heard).toMatchObject([{ code: 'stopped', outcome: 'unknown', cause }])
    order()()
    expect(heard).toHaveLength(2)
    expect(heard[1]).toBeInstanceOf(Stopped)
  })

  it('whose caller throws are reported, and the others are served', async () => {
    const { orders, raised } = ordering()
    const heard: number[] = []
    const broken = new Error('caller')
    const fail = (): never => {
      throw broken
    }
    const thrown = await uncaughtDuring(() => {
      orders.order('it', { done: fail, fail })
      orders.order('it', { done: (result) => heard.push(result), fail })
      orders.answered(raised[0]!, 1)
      orders.answered(raised[1]!, 2)
    })
    expect({ heard, thrown }).toEqual({ heard: [2], thrown: [broken] })
  })
})

describe('an order as an Observable', () => {
  it('is asked for by every subscription, emits the index and completes', () => {
    const { orders, raised } = ordering()
    const heard: unknown[] = []
    const snapshot$ = ordered(orders, 'it')
    expect(raised).toEqual([])
    const complete = (): void => void heard.push('complete')
    snapshot$.subscribe({ next: (index) => heard.push(index), complete })
    snapshot$.subscribe((index) => heard.push(index)).unsubscribe()
    expect(raised).toHaveLength(2)
    for (const ticket of raised) orders.answered(ticket, 5)
    expect(heard).toEqual([5, 'complete'])
  })

  it('errors when the node is stopped', () => {
    const { orders } = ordering()
    const heard: unknown[] = []
    ordered(orders, 'it').subscribe({ error: (error: unknown) => heard.push(error) })
    orders.stop()
    expect(heard).toMatchObject([{ code: 'stopped' }])
  })
})
