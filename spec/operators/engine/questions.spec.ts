import { VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { Places } from '../../../operators/engine/places.ts'
import { Questions } from '../../../operators/engine/questions.ts'
import { HandClock } from '../support.ts'

/** Questions with the tickets that they raised, and what their askers heard. */
function asking(first = 0, places = new Places(9)) {
  const turns = new VirtualTimeScheduler()
  const clock = new HandClock()
  const tickets: number[] = []
  const heard: string[] = []
  const questions = new Questions((ticket) => tickets.push(ticket), first, turns, clock, places)
  const ask = (name: string): (() => void) =>
    questions.ask({
      answer: () => heard.push(`${name} answered`),
      fail: (error) => heard.push(`${name} ${error.name}`),
    })
  const readable = (ticket: number) => questions.answered({ type: 'readable', ticket })
  const unreadable = (ticket: number) =>
    questions.answered({ type: 'unreadable', ticket, leader: undefined })
  return { turns, clock, tickets, heard, places, questions, ask, readable, unreadable }
}

describe('questions', () => {
  it('of one turn share a ticket', () => {
    const { turns, tickets, heard, ask, readable } = asking()
    ask('x')
    ask('y')
    turns.flush()
    ask('z')
    turns.flush()
    expect(tickets).toEqual([0, 1])
    readable(0)
    expect(heard).toEqual(['x answered', 'y answered'])
    readable(1)
    readable(1)
    expect(heard).toEqual(['x answered', 'y answered', 'z answered'])
  })

  it('that come after the ticket do not ride on it [bug 21]', () => {
    const { turns, heard, ask, readable } = asking()
    ask('x')
    turns.flush()
    ask('y')
    readable(0)
    expect(heard).toEqual(['x answered'])
  })

  it('that could not be confirmed ask again with a new ticket, when a leader is known', () => {
    const { turns, tickets, heard, questions, ask, readable, unreadable } = asking()
    ask('x')
    turns.flush()
    unreadable(0)
    turns.flush()
    expect(tickets).toEqual([0])
    questions.retry()
    turns.flush()
    readable(0)
    expect(heard).toEqual([])
    readable(1)
    expect(heard).toEqual(['x answered'])
  })

  it('are taken back, wherever they wait', () => {
    const { turns, tickets, heard, questions, ask, readable, unreadable } = asking()
    const asked = ask('asked')
    turns.flush()
    asked()
    readable(0)
    const parked = ask('parked')
    turns.flush()
    unreadable(1)
    parked()
    questions.retry()
    turns.flush()
    expect(tickets).toEqual([0, 1])
    ask('open')()
    turns.flush()
    readable(2)
    expect(heard).toEqual([])
  })

  it('begin with a ticket that an earlier life of the server did not use', () => {
    const { turns, tickets, ask } = asking(2 ** 47)
    ask('x')
    turns.flush()
    expect(tickets).toEqual([2 ** 47])
  })

  it('of a node that stops each hear of it once', () => {
    const { turns, heard, questions, ask, unreadable } = asking()
    ask('parked')
    turns.flush()
    unreadable(0)
    ask('asked')
    turns.flush()
    ask('open')
    questions.stop()
    questions.stop()
    turns.flush()
    ask('late')
    expect(heard).toEqual(['asked Stopped', 'open Stopped', 'parked Stopped', 'late Stopped'])
  })
})

describe('questions for which there is no place', () => {
  it('are refused at once, until one is answered [bug 52]', () => {
    const { turns, heard, places, ask, readable } = asking(0, new Places(2))
    ask('x')
    ask('y')
    expect(places.hasRoomAgain()).toBe(false)
    ask('z')
    expect(heard).toEqual(['z Overloaded'])
    expect(places.hasRoomAgain()).toBe(false)
    turns.flush()
    readable(0)
    expect([places.hasRoomAgain(), places.hasRoomAgain()]).toEqual([true, false])
    ask('z')
    turns.flush()
    readable(1)
    expect(heard.slice(1)).toEqual(['x answered', 'y answered', 'z answered'])
  })

  it('find one when a parked question is taken back, and once only', () => {
    const { turns, heard, ask, unreadable } = asking(0, new Places(1))
    const takeBack = ask('x')
    turns.flush()
    unreadable(0)
    takeBack()
    takeBack()
    ask('y')
    ask('z')
    expect(heard).toEqual(['z Overloaded'])
  })

  it('find none while one that was taken back is on its way, and one when it is back [bug 52]', () => {
    const { turns, tickets, heard, questions, ask, unreadable } = asking(0, new Places(1))
    ask('x')()
    turns.flush()
    ask('y')
    expect(heard.splice(0)).toEqual(['y Overloaded'])
    unreadable(0)
    questions.retry()
    turns.flush()
    expect(tickets).toEqual([0])
    ask('y')
    ask('z')
    expect(heard).toEqual(['z Overloaded'])
  })
})

describe('what was confirmed', () => {
  it('is as old as the question, not as its answer', () => {
    const { turns, clock, questions, ask, readable } = asking()
    expect(questions.isConfirmedWithin(1e9)).toBe(false)
    clock.run(100)
    ask('x')
    turns.flush()
    clock.run(130)
    expect(questions.isConfirmedWithin(1e9)).toBe(false)
    readable(0)
    expect(questions.isConfirmedWithin(30)).toBe(true)
    expect(questions.isConfirmedWithin(29)).toBe(false)
    clock.run(150)
    expect(questions.isConfirmedWithin(49)).toBe(false)
  })

  it('stays when an earlier question is answered later, and when one is not', () => {
    const { turns, clock, questions, ask, readable, unreadable } = asking()
    for (const at of [100, 110, 120]) {
      clock.run(at)
      ask(`at ${at}`)
      turns.flush()
    }
    readable(1)
    readable(0)
    unreadable(2)
    expect(questions.isConfirmedWithin(10)).toBe(true)
    expect(questions.isConfirmedWithin(9)).toBe(false)
  })

  it('counts from the last time that a question was asked', () => {
    const { turns, clock, questions, ask, readable, unreadable } = asking()
    ask('x')
    turns.flush()
    clock.run(50)
    unreadable(0)
    questions.retry()
    turns.flush()
    clock.run(60)
    readable(1)
    expect(questions.isConfirmedWithin(10)).toBe(true)
    expect(questions.isConfirmedWithin(9)).toBe(false)
  })
})
