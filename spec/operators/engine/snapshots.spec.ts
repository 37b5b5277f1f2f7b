import { Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { Event } from '../../../lib/events.ts'
import type { Step } from '../../../lib/turn.ts'
import { msgpack } from '../../../operators/codec.ts'
import { application } from '../../../operators/engine/application.ts'
import { snapshots, type Capture, type Snapshots } from '../../../operators/engine/snapshots.ts'
import type { Machine } from '../../../operators/machine.ts'
import { commands, marbles, stateWith, stepWith } from '../support.ts'
import { foundingMembers } from '../../../lib/members.ts'

const mark = { index: 4, term: 2, members: foundingMembers(['a']) }
const taking = stateWith({ taking: { mark: undefined, end: 0, isWhole: false } })
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const first = stepWith({ capture: 'first', state: taking })
const next = stepWith({ capture: 'next', state: taking })
const between = stepWith({ state: taking })
const restoring = (isLast: boolean, offset = 0) =>
  stepWith({ restore: { mark, offset, bytes: bytes('x'), isLast } })

/** A machine whose snapshots are these pieces; what happens to it is told. */
function machineOf(...pieces: readonly string[]) {
  const heard: string[] = []
  let index = 4
  const machine: Snapshots = {
    capture: () => {
      const left = [...pieces]
      heard.push('begin')
      return {
        position: { index: index++, term: 2 },
        next: (give) => {
          const piece = left.shift()!
          give(bytes(piece), left.length === 0)
        },
        close: () => heard.push('close'),
      }
    },
    restore: ({ offset, isLast }) => heard.push(`restore ${offset}${isLast ? ' last' : ''}`),
  }
  return { machine, heard }
}

/** One that answers when the test says so. */
function slowMachine() {
  const asked: Parameters<Capture['next']>[] = []
  const machine: Snapshots = {
    capture: () => ({
      position: { index: 4, term: 2 },
      next: (...callbacks) => asked.push(callbacks),
      close: () => undefined,
    }),
    restore: () => undefined,
  }
  const step$ = new Subject<Step>()
  const events: Event[] = []
  const errors: unknown[] = []
  step$.pipe(snapshots(machine, { now: () => 0, schedule: () => null! })).subscribe({
    next: (event) => events.push(event),
    error: (error: unknown) => errors.push(error),
  })
  return { step$, asked, events, errors }
}

describe('snapshots', () => {
  it('turns steps into pieces of the state, out of it and into it', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
      const steps = { f: first, n: next, r: restoring(true) }
      const source = hot('--f----n---r--|', steps)
      const whole = '     ^-------------!'
      const result = '    --c----e---d--|'
      const captured = { type: 'captured', index: 4, term: 2 }
      const events = {
        c: { ...captured, at: 2, offset: 0, bytes: bytes('one'), isLast: false },
        e: { ...captured, at: 7, offset: 3, bytes: bytes('two'), isLast: true },
        d: { type: 'pieceRestored', at: 11, index: 4, isLast: true },
      }
      const { machine } = machineOf('one', 'two')
      expectObservable(source.pipe(snapshots(machine, scheduler))).toBe(result, events)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('asks the machine for nothing until a step does', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const source = hot('--s--f--s--s--|', { s: between, f: first })
      const result = '    -----c--------|'
      const { machine } = machineOf('one', 'two')
      const c = { type: 'captured', index: 4, term: 2, at: 5, offset: 0, bytes: bytes('one') }
      const events = { c: { ...c, isLast: false } }
      expectObservable(source.pipe(snapshots(machine, scheduler))).toBe(result, events)
    })
  })

  it('begins anew for a new snapshot, of the state that is there then', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const source = hot('f-f-|', { f: first })
      const result = '    c-d-|'
      const piece = { type: 'captured', term: 2, offset: 0, bytes: bytes('one'), isLast: false }
      const { machine, heard } = machineOf('one', 'two')
      expectObservable(source.pipe(snapshots(machine, scheduler))).toBe(result, {
        c: { ...piece, index: 4, at: 0 },
        d: { ...piece, index: 5, at: 2 },
      })
      scheduler.flush()
      expect(heard.slice(0, 3)).toEqual(['begin', 'close', 'begin'])
    })
  })

  it('tells of each piece that the machine has taken over', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const source = hot('r-l-|', { r: restoring(false), l: restoring(true, 1) })
      const result = '    r-l-|'
      const { machine, heard } = machineOf()
      expectObservable(source.pipe(snapshots(machine, scheduler))).toBe(result, {
        r: { type: 'pieceRestored', at: 0, index: 4, isLast: false },
        l: { type: 'pieceRestored', at: 2, index: 4, isLast: true },
      })
      scheduler.flush()
      expect(heard).toEqual(['restore 0', 'restore 1 last'])
    })
  })

  it('waits for a piece that comes later', () => {
    const { step$, asked, events } = slowMachine()
    step$.next(first)
    step$.next(between)
    expect(events).toEqual([])
    asked[0]![0](bytes('late'), true)
    expect(events).toMatchObject([{ type: 'captured', offset: 0, isLast: true }])
  })

  it('forgets a piece of a snapshot that was given up, and what went wrong with it', () => {
    const { step$, asked, events, errors } = slowMachine()
    step$.next(first)
    step$.next(stepWith())
    step$.next(first)
    asked[0]![0](bytes('old'), true)
    asked[0]![1](new Error('old'))
    expect({ events, errors }).toEqual({ events: [], errors: [] })
    asked[1]![0](bytes('new'), true)
    expect(events).toMatchObject([{ bytes: bytes('new') }])
  })

  it('closes what nobody will ask any more: given up, finished, or the node stopped', () => {
    const step$ = new Subject<Step>()
    const { machine, heard } = machineOf('one', 'two')
    const running = step$.pipe(snapshots(machine)).subscribe()
    step$.next(first)
    step$.next(stepWith())
    expect(heard).toEqual(['begin', 'close'])
    step$.next(first)
    step$.next(next)
    expect(heard).toEqual(['begin', 'close', 'begin', 'close'])
    step$.next(first)
    running.unsubscribe()
    expect(heard.slice(4)).toEqual(['begin', 'close'])
  })
})

it('the state machine hears how far back the log is still read', () => {
  const step$ = new Subject<Step>()
  const heard: number[] = []
  const { machine } = machineOf()
  step$.pipe(snapshots({ ...machine, forget: (before) => heard.push(before) })).subscribe()
  step$.next(stepWith({ disk: [{ type: 'forget', before: 7 }] }))
  step$.next(stepWith())
  expect(heard).toEqual([7])
})

describe('a machine that throws stops the node', () => {
  const broken = new Error('broken')
  const fail = (): never => {
    throw broken
  }
  const base: Machine<number, number, number> = {
    initial: 0,
    apply: (state) => [state, state],
  }
  let whole = new Uint8Array()
  application(base, msgpack<number>())
    .capture()
    .next((given) => (whole = Uint8Array.from(given)), refuse)
  const restore = stepWith({ restore: { mark, offset: 0, bytes: whole, isLast: true } })

  const errorOf = async (machine: Machine<number, number, number>, step: Step) =>
    await new Promise((resolve) => {
      const step$ = new Subject<Step>()
      step$
        .pipe(snapshots(application(machine, msgpack<number>())))
        .subscribe({ error: resolve, next: () => undefined })
      step$.next(step)
    })

  it.each<[string, Partial<Machine<number, number, number>>, Step]>([
    ['when it begins', { snapshot: fail }, first],
    [
      'in the middle',
      {
        *snapshot() {
          yield 1
          fail()
        },
      },
      first,
    ],
    [
      'later',
      {
        async *snapshot() {
          yield await Promise.resolve(1)
          fail()
        },
      },
      first,
    ],
    ['when it takes one over', { restore: fail }, restore],
  ])('%s', async (_, part, step) => {
    expect(await errorOf({ ...base, ...part }, step)).toBe(broken)
  })

  it('or gives what cannot be packed, at once or later', async () => {
    const sync = { ...base, snapshot: () => [Symbol('x')] }
    const later = {
      ...base,
      async *snapshot() {
        yield await Promise.resolve(Symbol('x'))
      },
    }
    expect(await errorOf(sync, first)).toBeInstanceOf(Error)
    expect(await errorOf(later, first)).toBeInstanceOf(Error)
  })
})

function refuse(error: unknown): never {
  throw error
}

describe('an application', () => {
  type Words = readonly string[]
  const machine: Machine<Words, string, number, 'all', Words> = {
    initial: [],
    apply: (words, word) => [[...words, word], words.length + 1],
    query: (words) => words,
    snapshot: (words) => words,
    restore: (words, word) => [...words, word as string],
  }
  const running = () => application(machine, msgpack<string>())

  /** The whole of its snapshot in one piece. */
  const captureOf = (app: ReturnType<typeof running>) => {
    const { position, next } = app.capture()
    let all = new Uint8Array()
    next((given) => (all = Uint8Array.from(given)), refuse)
    return { position, bytes: all }
  }
  const pieceOf = (index: number, whole: Uint8Array, from = 0, to = whole.length) => ({
    mark: { ...mark, index },
    offset: from,
    bytes: whole.subarray(from, to),
    isLast: to === whole.length,
  })

  it('gives a snapshot of exactly what it has applied, and says so [bug 62]', () => {
    const app = running()
    app.apply(commands(1, 1, 'x', 'y'))
    const early = app.capture()
    app.apply(commands(3, 2, 'z'))
    expect(early.position).toEqual({ index: 2, term: 1 })
    let all = new Uint8Array()
    early.next((given) => (all = Uint8Array.from(given)), refuse)
    const other = running()
    other.restore(pieceOf(2, all))
    expect(other.query('all')).toEqual(['x', 'y'])
    expect(other.apply(commands(3, 2, 'z')).outcomes).toMatchObject([{ result: 3 }])
    expect(captureOf(other).position).toEqual({ index: 3, term: 2 })
  })

  it('counts the empty entries of leaders in, too', () => {
    const app = running()
    app.apply(commands(1, 1, 'x'))
    app.apply({ index: 2, term: 2, kind: 'noop', count: 1, bytes: new Uint8Array(4) })
    expect(captureOf(app).position).toEqual({ index: 2, term: 2 })
  })

  it('shows its own state, and goes on with it, until the last piece of another is there', () => {
    const source = running()
    source.apply(commands(1, 1, 'a', 'b', 'c'))
    const { bytes: whole } = captureOf(source)
    const app = running()
    app.apply(commands(1, 1, 'x'))
    app.restore(pieceOf(3, whole, 0, 6))
    app.restore(pieceOf(3, whole, 6, 9))
    expect(app.query('all')).toEqual(['x'])
    app.apply(commands(2, 1, 'y'))
    expect(app.query('all')).toEqual(['x', 'y'])
    app.restore(pieceOf(3, whole, 9))
    expect(app.query('all')).toEqual(['a', 'b', 'c'])
  })

  it('applies nothing again that the state covers, and has no outcome for it', () => {
    const source = running()
    source.apply(commands(1, 1, 'a', 'b', 'c'))
    const app = running()
    app.restore(pieceOf(3, captureOf(source).bytes))
    const old = commands(2, 1, 'b', 'c')
    expect(app.apply(old)).toEqual({ batch: old, outcomes: [] })
    expect(app.query('all')).toEqual(['a', 'b', 'c'])
  })

  it('begins anew with the first piece of a newer one', () => {
    const source = running()
    source.apply(commands(1, 1, 'a', 'b'))
    const { bytes: whole } = captureOf(source)
    const app = running()
    app.restore(pieceOf(2, whole, 0, 7))
    app.restore(pieceOf(2, whole))
    expect(app.query('all')).toEqual(['a', 'b'])
  })

  it('without pieces of its own is one piece, the whole state', () => {
    const { initial, apply, query } = machine
    const whole = { initial, apply, query: query! }
    const source = application(whole, msgpack<string>())
    source.apply(commands(1, 1, 'a', 'b'))
    const app = application(whole, msgpack<string>())
    app.restore(pieceOf(2, captureOf(source).bytes))
    expect(app.query('all')).toEqual(['a', 'b'])
  })
})
