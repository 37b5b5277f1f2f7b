import { Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { noop, type Batch } from '../../../lib/batch.ts'
import type { Step } from '../../../lib/turn.ts'
import { application } from '../../../operators/engine/application.ts'
import { apply } from '../../../operators/engine/apply.ts'
import { msgpack } from '../../../operators/codec.ts'
import type { Machine } from '../../../operators/machine.ts'
import { commands, HandClock, marbles, stepWith } from '../support.ts'

const one = commands(1, 1, 'x')
const two = commands(2, 1, 'y', 'z')
const three = noop(4, 2)
const steps = {
  s: stepWith({ committed: [one] }),
  t: stepWith(),
  u: stepWith({ committed: [two, three] }),
}
const counted = (batch: Batch) => ({ batch, outcomes: [batch.count] })

describe('apply', () => {
  it('turns steps into what the application answered', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
      const source = hot('--s---t---u---|', steps)
      const whole = '     ^-------------!'
      const result = '    --s-------u---|'
      const outcomes = {
        s: { type: 'applied', at: 2, index: 1, batches: [counted(one)] },
        u: { type: 'applied', at: 10, index: 4, batches: [counted(two), counted(three)] },
      }
      expectObservable(source.pipe(apply(counted, scheduler))).toBe(result, outcomes)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('applies every batch once, in order', () => {
    const applied: Batch[] = []
    marbles(({ hot }) =>
      hot('s-t-u', steps)
        .pipe(
          apply((batch) => {
            applied.push(batch)
            return counted(batch)
          }),
        )
        .subscribe(),
    )
    expect(applied).toEqual([one, two, three])
  })

  it('errors when an effectful machine fails, so that no entry is skipped [F9]', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('--s---u---', steps)
      const whole = '     ^-!'
      const result = '    --#'
      const failing = (): never => {
        throw new Error('the database is gone')
      }
      const expected = new Error('the database is gone')
      expectObservable(source.pipe(apply(failing))).toBe(result, undefined, expected)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('lets others have their turn while it works off a backlog', () => {
    const clock = new HandClock()
    const steps$ = new Subject<Step>()
    const heard: string[] = []
    const slow = (batch: Batch) => {
      clock.time += 4
      return counted(batch)
    }
    steps$.pipe(apply(slow, clock)).subscribe((event) => {
      if (event.type === 'applied') heard.push(`${event.index} at ${event.at}`)
    })
    const batches = [1, 2, 3, 4, 5].map((index) => commands(index, 1, 'x'))
    steps$.next(stepWith({ committed: batches.slice(0, 4) }))
    expect(heard).toEqual(['3 at 0'])
    steps$.next(stepWith({ committed: batches.slice(4) }))
    expect(heard).toEqual(['3 at 0'])
    clock.run(100)
    expect(heard).toEqual(['3 at 0', '5 at 12'])
    expect(clock.pending).toBe(0)
  })

  it('errors with the steps', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(hot('--t-#', steps).pipe(apply(counted))).toBe('----#')
    })
  })
})

describe('the application', () => {
  const machine = {
    initial: 0,
    apply: (total: number, by: number, { index }: { index: number }) => {
      if (by < 0) throw new RangeError(`${by} at ${index}`)
      return [total + by, total + by] as const
    },
    query: (total: number, factor: number) => total * factor,
  }

  it('answers each command in its order, with where it stands', () => {
    const { apply: applyBatch } = application(machine, msgpack<number>())
    expect(applyBatch(commands(5, 2, 1, 10)).outcomes).toEqual([
      { index: 5, term: 2, command: 1, ok: true, result: 1 },
      { index: 6, term: 2, command: 10, ok: true, result: 11 },
    ])
  })

  it('makes what a reducer throws its result, and leaves the state as it was [F9]', () => {
    const { apply: applyBatch, query } = application(machine, msgpack<number>())
    const { outcomes } = applyBatch(commands(1, 1, 5, -1, 2))
    expect(outcomes).toEqual([
      { index: 1, term: 1, command: 5, ok: true, result: 5 },
      { index: 2, term: 1, command: -1, ok: false, error: new RangeError('-1 at 2') },
      { index: 3, term: 1, command: 2, ok: true, result: 7 },
    ])
    expect(query(10)).toBe(70)
  })

  it('gives the commands of one batch one run, and those of another another', () => {
    const runs: (object | undefined)[] = []
    const seen: Machine<number, number, number> = {
      initial: 0,
      apply: (total, by, { run }) => {
        runs.push(run)
        return [total + by, total]
      },
    }
    const { apply: applyBatch } = application(seen, msgpack<number>())
    for (const batch of [commands(1, 1, 1, 2), commands(3, 1, 3)]) applyBatch(batch)
    expect(runs[0]).toBeInstanceOf(Object)
    expect(runs[1]).toBe(runs[0])
    expect(runs[2]).not.toBe(runs[0])
  })

  it('has commands decoded where they lie by a codec that can', () => {
    const { encode, decode } = msgpack<number>()
    const decodeWithin = (bytes: Uint8Array, start: number, end: number): number =>
      100 + decode(bytes.subarray(start, end))
    const { apply: applyBatch } = application(machine, { encode, decode, decodeWithin })
    expect(applyBatch(commands(1, 1, 1, 2)).outcomes).toMatchObject([
      { command: 101, result: 101 },
      { command: 102, result: 203 },
    ])
  })

  it("makes nothing of a term's first entry", () => {
    const { apply: applyBatch } = application(machine, msgpack<number>())
    expect(applyBatch(noop(1, 1))).toEqual({ batch: noop(1, 1), outcomes: [] })
  })

  it('says so when the machine answers no questions', () => {
    const { query } = application({ initial: 0, apply: machine.apply }, msgpack<number>())
    expect(() => query(1)).toThrow(new TypeError('the state machine has no query function'))
  })
})
