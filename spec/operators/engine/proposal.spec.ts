import { describe, expect, it } from 'vitest'
import { CommandFailed, NotLeader, Overloaded, Overtaken, Superseded } from '../../../lib/errors.ts'
import { SessionExpired, type Request, type Session } from '../../../lib/sessions.ts'
import type { Settle } from '../../../operators/engine/node.ts'
import { Proposal } from '../../../operators/engine/proposal.ts'
import { Requests } from '../../../operators/engine/requests.ts'
import type { Result } from '../../../operators/engine/sessions.ts'

const limits = { sessions: 10, results: 3, entries: 100 }

/** A node of which only its names are real: the test decides what becomes of what is proposed. */
function asking() {
  const openings: Settle<Session>[] = []
  const asked: { command: string; request: Request; settle: Settle<string> }[] = []
  const known = new Map<string, Result>()
  const heard: string[] = []
  const proposer = {
    request: (command: string, request: Request, settle: Settle<string>) =>
      void asked.push({ command, request, settle }),
    find: ({ session, sequence }: Request) => known.get(`${session.index} ${sequence}`),
    requests: new Requests(limits, (its, settle) => {
      expect(its).toBe(limits)
      openings.push(settle)
    }),
  }
  const propose = (command: string, given?: Request) => new Proposal(command, proposer, given)
  const attempt = (proposal: Proposal<string, string>, as: string): void =>
    proposal.attempt({
      queued: (index) => heard.push(`${as} queued ${index}`),
      applied: (result, index) => heard.push(`${as} ${result} ${index}`),
      failed: (error) => heard.push(`${as} ${error.name}`),
    })
  /** The session that was asked for last has its place in the log. */
  const open = (index: number): void => openings.at(-1)!.queued?.(index, 1)
  const take = (): string[] => heard.splice(0)
  const names = (): string[] =>
    asked.map(({ command, request: { session, sequence, lowest } }) => {
      return `${command}: ${session.index} ${sequence} of ${lowest}`
    })
  return { openings, asked, known, propose, attempt, open, take, names, heard }
}

describe('a proposal', () => {
  it('waits until its session has a place in the log, and opens one only', () => {
    const { openings, propose, attempt, open, names } = asking()
    attempt(propose('x'), 'x')
    attempt(propose('y'), 'y')
    expect([openings.length, names()]).toEqual([1, []])
    open(5)
    expect(names()).toEqual(['x: 5 0 of 0', 'y: 5 1 of 0'])
    attempt(propose('z'), 'z')
    expect([openings.length, names().at(-1)]).toEqual([1, 'z: 5 2 of 0'])
  })

  it('has one name while it may take effect, and says what nobody will ask any more', () => {
    const { asked, propose, attempt, open, names, take } = asking()
    const [x, y] = [propose('x'), propose('y')]
    attempt(x, 'x')
    open(5)
    asked[0]!.settle.failed(new Overtaken(6))
    attempt(x, 'x again')
    asked[1]!.settle.failed(new NotLeader('b'))
    attempt(x, 'x again')
    attempt(y, 'y')
    asked[2]!.settle.applied('X', 6, 1)
    attempt(y, 'y')
    expect(names()).toEqual([
      ...['x: 5 0 of 0', 'x: 5 0 of 0', 'x: 5 0 of 0'],
      ...['y: 5 1 of 0', 'y: 5 1 of 1'],
    ])
    expect(take()).toEqual(['x Overtaken', 'x again NotLeader', 'x again X 6'])
    attempt(x, 'late')
    expect(take()).toEqual(['late X 6'])
    expect(asked).toHaveLength(5)
  })

  it('may have another name where nothing came of it', () => {
    const { asked, propose, attempt, open, names } = asking()
    const x = propose('x')
    attempt(x, 'x')
    open(5)
    expect([x.isOpen, x.isRefused]).toEqual([true, false])
    asked[0]!.settle.failed(new NotLeader(undefined))
    expect([x.isOpen, x.isRefused]).toEqual([false, true])
    attempt(x, 'x')
    expect(names()).toEqual(['x: 5 0 of 0', 'x: 5 1 of 1'])
    asked[1]!.settle.queued?.(7, 1)
    expect(x.isRefused).toBe(false)
  })

  it('is open while any attempt is, and all hear of the first that succeeds', () => {
    const { asked, propose, attempt, open, take } = asking()
    const x = propose('x')
    attempt(x, 'one')
    attempt(x, 'two')
    open(5)
    expect(asked[0]!.request).toEqual(asked[1]!.request)
    asked[0]!.settle.failed(new Superseded(6))
    expect(x.isOpen).toBe(true)
    attempt(x, 'three')
    attempt(x, 'four')
    asked[1]!.settle.applied('X', 6, 1)
    asked[2]!.settle.failed(new SessionExpired(9, 'unknown'))
    asked[3]!.settle.failed(new Superseded(10))
    expect(take()).toEqual(['one Superseded', 'two X 6', 'three X 6', 'four X 6'])
    expect(x.isOpen).toBe(false)
  })

  it('that the application refuses stays refused', () => {
    const { asked, propose, attempt, open, take } = asking()
    const x = propose('x')
    attempt(x, 'one')
    open(5)
    asked[0]!.settle.failed(new CommandFailed(6, 'no'))
    attempt(x, 'two')
    expect(take()).toEqual(['one CommandFailed', 'two CommandFailed'])
    expect(asked).toHaveLength(1)
  })

  it('is answered from what this server has applied', () => {
    const { asked, known, propose, attempt, open, take } = asking()
    const [x, y] = [propose('x'), propose('y')]
    attempt(x, 'x')
    attempt(y, 'y')
    open(5)
    for (const { settle } of asked) settle.failed(new Overtaken(6))
    known.set('5 0', { index: 6, term: 1, ok: true, result: 'X' })
    known.set('5 1', { index: 7, term: 1, ok: false, error: 'no' })
    attempt(x, 'x')
    attempt(y, 'y')
    expect(take().slice(2)).toEqual(['x X 6', 'y CommandFailed'])
    expect(asked).toHaveLength(2)
  })

  it('opens another session, once, where the first has expired and nothing can have happened', () => {
    const { asked, openings, propose, attempt, open, names, take } = asking()
    const x = propose('x')
    attempt(x, 'x')
    open(5)
    asked[0]!.settle.failed(new SessionExpired(6, 'unknown'))
    open(7)
    expect([openings.length, names().at(-1)]).toEqual([2, 'x: 7 0 of 0'])
    asked[1]!.settle.failed(new SessionExpired(8, 'unknown'))
    expect(take()).toEqual(['x SessionExpired'])
    attempt(x, 'again')
    open(9)
    asked[2]!.settle.applied('X', 9, 1)
    expect(take()).toEqual(['again X 9'])
  })

  it('fails for good where the session has expired and something may have happened', () => {
    const { asked, openings, propose, attempt, open, take, names } = asking()
    const x = propose('x')
    attempt(x, 'x')
    open(5)
    asked[0]!.settle.failed(new Overtaken(6))
    attempt(x, 'again')
    asked[1]!.settle.failed(new SessionExpired(8, 'unknown'))
    attempt(x, 'late')
    expect(take()).toEqual(['x Overtaken', 'again SessionExpired', 'late SessionExpired'])
    expect([asked.length, openings.length]).toEqual([2, 1])
    attempt(propose('y'), 'y')
    open(9)
    expect(names().at(-1)).toBe('y: 9 0 of 0')
  })

  it('of a name that is given has this name and no other', () => {
    const { asked, openings, propose, attempt, take } = asking()
    const request = { session: { index: 3, term: 1 }, sequence: 4, lowest: 2 }
    const x = propose('x', request)
    attempt(x, 'x')
    asked[0]!.settle.failed(new NotLeader('b'))
    attempt(x, 'x')
    expect([asked[1]!.request, openings.length]).toEqual([request, 0])
    asked[1]!.settle.failed(new SessionExpired(8, 'unknown'))
    attempt(x, 'late')
    expect(take()).toEqual(['x NotLeader', 'x SessionExpired', 'late SessionExpired'])
  })
})

describe('a session of its own', () => {
  it('that found no leader fails whoever waits for it, and is opened again', () => {
    const { openings, propose, attempt, open, names, take } = asking()
    const [x, y] = [propose('x'), propose('y')]
    attempt(x, 'x')
    attempt(y, 'y')
    openings[0]!.failed(new NotLeader('b'))
    expect(take()).toEqual(['x NotLeader', 'y NotLeader'])
    attempt(x, 'x')
    open(5)
    expect([openings.length, names()]).toEqual([2, ['x: 5 0 of 0']])
  })

  it('that lost its place in the log is opened again', () => {
    const { openings, propose, attempt, open, names } = asking()
    attempt(propose('x'), 'x')
    open(5)
    openings[0]!.failed(new Superseded(5))
    attempt(propose('y'), 'y')
    open(9)
    expect(names().at(-1)).toBe('y: 9 0 of 0')
  })

  it('names no more than it remembers: what was given up goes first, and others are refused', () => {
    const { asked, propose, attempt, open, names, take } = asking()
    const lost = propose('lost')
    attempt(lost, 'lost')
    open(5)
    for (const word of ['x', 'y']) attempt(propose(word), word)
    asked[0]!.settle.failed(new Overtaken(6))
    attempt(propose('z'), 'z')
    expect(names().at(-1)).toBe('z: 5 3 of 1')
    attempt(propose('too much'), 'too much')
    attempt(lost, 'lost')
    expect(take()).toEqual(['lost Overtaken', 'too much Overloaded', 'lost SessionExpired'])
    asked[1]!.settle.applied('X', 7, 1)
    attempt(propose('more'), 'more')
    expect(names().at(-1)).toBe('more: 5 4 of 2')
    expect(new Overloaded('').retryable).toBe(true)
  })
})
