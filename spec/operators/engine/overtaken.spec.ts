import { VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { noop } from '../../../lib/batch.ts'
import { Overtaken } from '../../../lib/errors.ts'
import { msgpack } from '../../../operators/codec.ts'
import { Proposals } from '../../../operators/engine/proposals.ts'
import { commands } from '../support.ts'

const limits = { maxCommandBytes: 100, maxAppendBytes: 200, maxUncommittedBytes: 1000 }

/** Proposals that a leader has put into its log, and what their callers heard. */
function proposing() {
  const turns = new VirtualTimeScheduler()
  const tickets: number[] = []
  const heard: string[] = []
  const errors: Error[] = []
  const proposals = new Proposals<string, string>(
    msgpack<string>(),
    limits,
    ({ ticket }) => tickets.push(ticket),
    turns,
  )
  const accept = (index: number, term: number, ...values: string[]): void => {
    for (const value of values) {
      proposals.submit(value, {
        applied: (result, at) => heard.push(`${value} → ${result} ${at}`),
        failed: (error) => {
          heard.push(`${value} ${error.name}`)
          errors.push(error)
        },
      })
    }
    turns.flush()
    proposals.answered({ type: 'accepted', ticket: tickets.at(-1)!, index, term })
  }
  const apply = (index: number, term: number, ...values: string[]): void => {
    const outcomes = values.map((command, i) => {
      return { index: index + i, term, command, ok: true, result: command.toUpperCase() }
    })
    proposals.applied({ batch: commands(index, term, ...values), outcomes })
  }
  return { proposals, accept, apply, heard, errors }
}

describe('a snapshot in place of entries', () => {
  it('settles the commands that it stands for: nobody knows what became of them [bug 50]', () => {
    const { proposals, accept, heard, errors } = proposing()
    accept(3, 1, 'x', 'y')
    accept(5, 1, 'z')
    proposals.overtaken(5)
    expect(heard).toEqual(['x Overtaken', 'y Overtaken', 'z Overtaken'])
    expect(errors[0]).toBeInstanceOf(Overtaken)
    expect(errors[0]).toMatchObject({ code: 'overtaken', outcome: 'unknown', index: 3 })
  })

  it('leaves those behind it, of the same run too, to what becomes of them', () => {
    const { proposals, accept, apply, heard } = proposing()
    accept(3, 1, 'x', 'y')
    accept(5, 1, 'z')
    proposals.overtaken(3)
    expect(heard).toEqual(['x Overtaken'])
    apply(4, 1, 'y')
    apply(5, 1, 'z')
    expect(heard.slice(1)).toEqual(['y → Y 4', 'z → Z 5'])
  })

  it('changes nothing for what it does not reach', () => {
    const { proposals, accept, apply, heard } = proposing()
    accept(3, 1, 'x')
    proposals.overtaken(2)
    apply(3, 1, 'x')
    expect(heard).toEqual(['x → X 3'])
  })

  it('reaches every run, in whatever order their places are: none is called superseded for it', () => {
    const { proposals, accept, heard } = proposing()
    accept(10, 1, 'a', 'b', 'c', 'd')
    accept(11, 3, 'x', 'y')
    proposals.overtaken(12)
    expect(heard.sort()).toEqual(
      ['a', 'b', 'c', 'x', 'y'].map((command) => `${command} Overtaken`).sort(),
    )
    proposals.applied({ batch: noop(13, 4), outcomes: [] })
    expect(heard.slice(5)).toEqual(['d Superseded'])
  })

  it('says so once: what is applied afterwards has nobody left to tell', () => {
    const { proposals, accept, apply, heard } = proposing()
    accept(3, 1, 'x')
    proposals.overtaken(3)
    proposals.overtaken(9)
    apply(3, 1, 'x')
    proposals.stop()
    expect(heard).toEqual(['x Overtaken'])
  })

  it('one caller who proposes again at once does not lose the others', () => {
    const turns = new VirtualTimeScheduler()
    const tickets: number[] = []
    const proposals = new Proposals<string, string>(
      msgpack<string>(),
      limits,
      ({ ticket }) => tickets.push(ticket),
      turns,
    )
    const heard: string[] = []
    const submit = (command: string, again = false): void =>
      proposals.submit(command, {
        applied: () => heard.push(command),
        failed: () => {
          heard.push(`${command} failed`)
          if (again) submit(`${command}'`)
        },
      })
    submit('x', true)
    submit('y')
    turns.flush()
    proposals.answered({ type: 'accepted', ticket: tickets[0]!, index: 3, term: 1 })
    proposals.overtaken(4)
    turns.flush()
    expect(heard).toEqual(['x failed', 'y failed'])
    expect(tickets).toHaveLength(2)
  })
})
