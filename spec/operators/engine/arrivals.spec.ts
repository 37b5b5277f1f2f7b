import { expect, it } from 'vitest'
import { Arrivals } from '../../../operators/engine/arrivals.ts'
import { Places } from '../../../operators/engine/places.ts'

function waiting(places = new Places(9)) {
  const arrivals = new Arrivals(places)
  const heard: string[] = []
  const wait = (index: number): (() => void) =>
    arrivals.wait(index, {
      answer: () => heard.push(`${index}`),
      fail: ({ name }) => heard.push(`${index} ${name}`),
    })
  return { arrivals, heard, places, wait }
}

it('questions wait for their index, and are answered once', () => {
  const { arrivals, heard, wait } = waiting()
  for (const index of [5, 3, 9]) wait(index)
  arrivals.reached(2)
  expect(heard).toEqual([])
  arrivals.reached(5)
  expect(heard).toEqual(['5', '3'])
  arrivals.reached(8)
  arrivals.reached(12)
  expect(heard).toEqual(['5', '3', '9'])
})

it('one that is taken back is not answered', () => {
  const { arrivals, heard, wait } = waiting()
  const takeBack = wait(3)
  wait(3)
  takeBack()
  arrivals.reached(3)
  expect(heard).toEqual(['3'])
})

it('one that asks again when it is answered waits for the next', () => {
  const arrivals = new Arrivals(new Places(9))
  const heard: number[] = []
  const again = (index: number): void => {
    heard.push(index)
    arrivals.wait(index + 1, { answer: () => again(index + 1), fail: () => undefined })
  }
  arrivals.wait(1, { answer: () => again(1), fail: () => undefined })
  arrivals.reached(1)
  arrivals.reached(2)
  expect(heard).toEqual([1, 2])
})

it('more than may wait are refused at once, until one is answered or taken back [bug 52]', () => {
  const { arrivals, heard, places, wait } = waiting(new Places(2))
  const takeBack = wait(3)
  wait(4)
  wait(5)
  expect(heard).toEqual(['5 Overloaded'])
  takeBack()
  takeBack()
  expect(places.hasRoomAgain()).toBe(true)
  wait(6)
  wait(7)
  arrivals.reached(4)
  wait(8)
  wait(9)
  expect(heard.slice(1)).toEqual(['7 Overloaded', '4', '9 Overloaded'])
})

it('an earlier index is found beside later ones', () => {
  const { arrivals, heard, wait } = waiting()
  wait(9)
  arrivals.reached(1)
  const takeBack = wait(2)
  wait(3)
  takeBack()
  arrivals.reached(3)
  arrivals.reached(9)
  expect(heard).toEqual(['3', '9'])
})

it('whoever waits when the node stops, or comes later, is told', () => {
  const { arrivals, heard, wait } = waiting()
  wait(3)
  arrivals.stop()
  arrivals.stop()
  wait(4)
  expect(heard).toEqual(['3 Stopped', '4 Stopped'])
})
