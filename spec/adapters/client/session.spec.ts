import { expect, it } from 'vitest'
import { OwnSession } from '../../../adapters/client/session.ts'

const HELD = 16_384

class Holder {
  wasAsked = false

  constructor(private readonly isWaiting = false) {}

  giveUp(): boolean {
    this.wasAsked = true
    return !this.isWaiting
  }
}

const session = () => new OwnSession(7, 3)

it('names are numbers from 0 on, and the lowest that is held is told', () => {
  const own = session()
  const holders = Array.from({ length: 4 }, () => new Holder())
  expect(holders.map((holder) => own.draw(holder))).toEqual([0, 1, 2, 3])
  expect(own.lowest).toBe(0)
  own.release(1)
  expect(own.lowest).toBe(0)
  own.release(0)
  expect(own.lowest).toBe(2)
  for (const at of [2, 3]) own.release(at)
  expect(own.lowest).toBe(4)
})

it('there are no more names than the servers keep results, while somebody waits for the oldest', () => {
  const own = session()
  const oldest = new Holder(true)
  own.draw(oldest)
  for (let i = 1; i < HELD; i++) own.draw(new Holder())
  expect(own.draw(new Holder())).toBe(-1)
  expect(oldest.wasAsked).toBe(true)
  own.release(0)
  expect(own.draw(new Holder())).toBe(HELD)
  expect(own.lowest).toBe(1)
})

it('the oldest that nobody waits for is given up for a new name', () => {
  const own = session()
  const holders = Array.from({ length: HELD }, () => new Holder())
  for (const holder of holders) own.draw(holder)
  expect(own.draw(new Holder())).toBe(HELD)
  expect(holders.map(({ wasAsked }) => wasAsked).lastIndexOf(true)).toBe(0)
  expect(own.lowest).toBe(1)
})

it('a hundred thousand names, of which one is held for long', () => {
  const own = session()
  const slow = new Holder(true)
  for (let i = 0; i < 100_000; i++) {
    const holder = i === 90_000 ? slow : new Holder()
    expect(own.draw(holder)).toBe(i)
    if (holder !== slow) own.release(i)
  }
  expect(own.lowest).toBe(90_000)
})
