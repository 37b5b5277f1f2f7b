import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Request, Session, SessionLimits } from '../../../lib/sessions.ts'
import type { AppliedBatch } from '../../../lib/turn.ts'
import { foundingMembers } from '../../../lib/members.ts'
import { msgpack } from '../../../operators/codec.ts'
import { application } from '../../../operators/engine/application.ts'
import type { AppliedRequests } from '../../../operators/engine/clients.ts'
import { commands, requests } from '../support.ts'

/** Writes words down, and refuses bad ones. */
const machine = {
  initial: [] as readonly string[],
  apply: (words: readonly string[], word: string) => {
    if (word.startsWith('bad')) throw new RangeError(word)
    return [[...words, word], { place: words.length + 1 }] as const
  },
  query: (words: readonly string[], _: 'all') => words,
}

const running = () => application(machine, msgpack<string>())
type App = ReturnType<typeof running>

/** Another server that begins with a snapshot of this one, taken in chunks of so many bytes. */
function moved(app: App, meddle: () => void = () => undefined, size = 7): App {
  const { position, next } = app.capture()
  meddle()
  let all = new Uint8Array()
  next(
    (given) => (all = Uint8Array.from(given)),
    (error) => expect.unreachable(String(error)),
  )
  const other = running()
  const mark = { ...position, members: foundingMembers(['a']) }
  for (let offset = 0; offset < all.length; offset += size) {
    const bytes = all.subarray(offset, offset + size)
    other.restore({ mark, offset, bytes, isLast: offset + size >= all.length })
  }
  return other
}

const roomy: SessionLimits = { sessions: 100, results: 100, entries: 1000 }
const session: Session = { index: 1, term: 1 }
const named = (sequence: number, lowest = 0, its = session): Request => ({
  ...{ session: its, sequence, lowest },
})

const answersOf = (applied: AppliedBatch) => (applied as AppliedRequests<string, unknown>).answers

describe('requests', () => {
  it('are applied once; the second hears what came of the first, and where', () => {
    const app = running()
    const { outcomes, answers } = app.apply(
      requests(1, 1, roomy, [named(0), 'x'], [named(0), 'x'], [named(1), 'y']),
    ) as AppliedRequests<string, unknown>
    expect(outcomes).toEqual([
      { index: 2, term: 1, command: 'x', ok: true, result: { place: 1 } },
      { index: 4, term: 1, command: 'y', ok: true, result: { place: 2 } },
    ])
    const first = { index: 2, term: 1, ok: true, result: { place: 1 } }
    const other = { index: 4, term: 1, ok: true, result: { place: 2 } }
    expect(answers).toEqual([
      { index: 1, term: 1, ok: true, result: session },
      ...[first, first, other],
    ])
    const later = app.apply(requests(5, 7, [named(0), 'x']))
    expect(later).toMatchObject({ outcomes: [], answers: [first] })
    expect(app.clients.find(named(0))).toEqual(first)
    expect(app.query('all')).toEqual(['x', 'y'])
    expect(app.clients.repeats.piece()).toEqual({ base: 0, indexes: [3, 5] })
  })

  it('that the application refuses are refused again, without being asked', () => {
    const app = running()
    app.apply(requests(1, 1, roomy, [named(0), 'bad']))
    const refused = { index: 2, term: 1, ok: false, error: new RangeError('bad') }
    expect(answersOf(app.apply(requests(3, 1, [named(0), 'bad'])))).toEqual([refused])
    expect(answersOf(moved(app).apply(requests(4, 1, [named(0), 'bad'])))).toEqual([refused])
  })

  it('of a session that is not there are not applied, nor those of its namesake', () => {
    const app = running()
    app.apply(requests(1, 1, roomy))
    const unknown = { index: 2, term: 1 }
    const namesake = { index: 1, term: 2 }
    const applied = app.apply(
      requests(2, 2, [named(0, 0, unknown), 'x'], [named(0, 0, namesake), 'y']),
    )
    expect(applied).toMatchObject({ outcomes: [], answers: [undefined, undefined] })
    expect(app.clients.find(named(0, 0, namesake))).toBeUndefined()
    expect(app.query('all')).toEqual([])
  })

  it('below the lowest are forgotten, and not applied again', () => {
    const app = running()
    app.apply(requests(1, 1, roomy, [named(0), 'x'], [named(1), 'y'], [named(2, 2), 'z']))
    expect([0, 1, 2].map((it) => app.clients.find(named(it))?.index)).toEqual([
      undefined,
      undefined,
      4,
    ])
    const late = app.apply(requests(5, 1, [named(0), 'x'], [named(1), 'y']))
    expect(late).toMatchObject({ outcomes: [], answers: [undefined, undefined] })
    expect(app.query('all')).toEqual(['x', 'y', 'z'])
  })

  it('keep so many results as their session was opened with: that of the lowest number goes', () => {
    const app = running()
    const few = { ...roomy, results: 2 }
    app.apply(requests(1, 1, few, [named(0), 'x'], [named(1), 'y'], [named(2), 'z']))
    const again = app.apply(requests(5, 1, [named(0), 'x'], [named(1), 'y'], [named(2), 'z']))
    expect(answersOf(again).map((it) => it?.index)).toEqual([undefined, 3, 4])
    expect(app.query('all')).toEqual(['x', 'y', 'z'])
  })

  it('lose the session that was used least recently when there are too many', () => {
    const app = running()
    const two = { ...roomy, sessions: 2 }
    app.apply(requests(1, 1, two, two, [named(0), 'x'], two))
    const other = { index: 2, term: 1 }
    const applied = app.apply(requests(5, 1, [named(1), 'y'], [named(0, 0, other), 'z']))
    expect(answersOf(applied).map((it) => it?.index)).toEqual([5, undefined])
  })

  it('lose it also when they took turns', () => {
    const app = running()
    const two = { ...roomy, sessions: 2 }
    const other = { index: 2, term: 1 }
    app.apply(requests(1, 1, two, two, [named(0), 'x'], [named(0, 0, other), 'y'], two))
    const applied = app.apply(requests(6, 1, [named(1), 'z'], [named(1, 0, other), 'w']))
    expect(answersOf(applied).map((it) => it?.index)).toEqual([undefined, 7])
  })

  it('lose a session that was not used for so many entries, whatever these were [F44]', () => {
    const last = (used: number): unknown => {
      const app = running()
      app.apply(requests(1, 1, { ...roomy, entries: 10 }))
      app.apply(requests(2, 1, [named(0), 'x']))
      app.apply(commands(3, 1, ...Array.from({ length: used - 3 }, () => 'w')))
      return answersOf(app.apply(requests(used, 1, [named(1), 'y'])))[0]?.index
    }
    expect([12, 13].map(last)).toEqual([12, undefined])
  })

  it('that nobody can have written change nothing', () => {
    const app = running()
    const batch = { ...requests(1, 1, roomy), bytes: new Uint8Array([2, 0, 0, 0, 1, 2]) }
    expect(app.apply(batch)).toMatchObject({ outcomes: [], answers: [undefined] })
  })

  it('are in a snapshot as they were when it began', () => {
    const app = running()
    app.apply(requests(1, 1, roomy, [named(0), 'x'], [named(0), 'x']))
    const other = moved(app, () => {
      app.apply(requests(4, 1, [named(1, 1), 'y'], [named(1, 1), 'y']))
    })
    expect(other.clients.find(named(0))).toMatchObject({ index: 2 })
    expect(other.clients.find(named(1))).toBeUndefined()
    expect(other.clients.repeats.piece()).toEqual({ base: 0, indexes: [3] })
    other.apply(requests(4, 1, [named(1, 1), 'y'], [named(1, 1), 'y']))
    expect(other.query('all')).toEqual(app.query('all'))
    expect(other.clients.repeats.piece()).toEqual(app.clients.repeats.piece())
  })

  it('whose results cannot be written are not applied again after a snapshot either', () => {
    const strange = {
      ...machine,
      apply: (words: readonly string[], word: string) => [[...words, word], Symbol(word)] as const,
    }
    const app = application(strange, msgpack<string>())
    app.apply(requests(1, 1, roomy, [named(0), 'x']))
    const other = moved(app)
    const applied = other.apply(requests(3, 1, [named(0), 'x']))
    expect(applied).toMatchObject({ outcomes: [], answers: [undefined] })
    expect(moved(other).apply(requests(4, 1, [named(0), 'x']))).toMatchObject({ outcomes: [] })
  })
})

/** What stands in the log: a new session, or a request of the so-manieth session that there ever was. */
type Move = { readonly limits: SessionLimits } | Asked

interface Asked {
  readonly who: number
  readonly sequence: number
  readonly lowest: number
  readonly isBad: boolean
}

const limits = fc.record({
  sessions: fc.integer({ min: 1, max: 4 }),
  results: fc.integer({ min: 1, max: 5 }),
  entries: fc.integer({ min: 1, max: 30 }),
})
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ limits }) },
  {
    weight: 8,
    arbitrary: fc.record({
      who: fc.nat(5),
      sequence: fc.nat(8),
      lowest: fc.nat(4),
      isBad: fc.boolean(),
    }),
  },
)

interface Known {
  readonly index: number
  readonly limits: SessionLimits
  used: number
  lowest: number
  readonly firsts: Map<number, number>
}

/** By the letter: which entry's outcome each entry has. Slow, and written in another way. */
function expected(moves: readonly Move[]): (number | undefined)[] {
  const opened: number[] = []
  let known: Known[] = []
  return moves.map((it, i) => {
    const index = i + 1
    if ('limits' in it) {
      opened.push(index)
      known.sort((a, b) => b.used - a.used)
      known = known.slice(0, it.limits.sessions - 1)
      known.push({ index, limits: it.limits, used: index, lowest: 0, firsts: new Map() })
      return index
    }
    const found = known.find((its) => its.index === opened[it.who])
    if (found === undefined) return undefined
    if (index - found.used > found.limits.entries) {
      known = known.filter((its) => its !== found)
      return undefined
    }
    found.used = index
    found.lowest = Math.max(found.lowest, Math.min(it.lowest, it.sequence))
    if (it.sequence < found.lowest) return undefined
    const first = found.firsts.get(it.sequence)
    if (first !== undefined) return first
    found.firsts.set(it.sequence, index)
    const kept = [...found.firsts.keys()].filter((sequence) => sequence >= found.lowest)
    if (kept.length > found.limits.results) found.lowest = Math.min(...kept) + 1
    return index
  })
}

it('any requests in any order are applied as it is written, with snapshots in between [F45]', () => {
  const schedule = fc.array(move, { minLength: 1, maxLength: 80 })
  fc.assert(
    fc.property(
      schedule,
      fc.array(fc.nat(80)),
      fc.integer({ min: 1, max: 5 }),
      (moves, cuts, size) => {
        let app = running()
        const opened: number[] = []
        const firsts: (number | undefined)[] = []
        const applied: string[] = []
        const wordOf = (it: Asked): string =>
          `${it.isBad ? 'bad' : 'word'} ${it.who} ${it.sequence}`
        const entries = moves.map((it, i) => {
          if ('limits' in it) {
            opened.push(i + 1)
            return it.limits
          }
          const its = { index: opened[it.who] ?? 1000, term: 1 }
          return [named(it.sequence, it.lowest, its), wordOf(it)] as const
        })
        for (let from = 0; from < entries.length; from += size) {
          if (cuts.includes(from)) app = moved(app, undefined, 50)
          const batch = requests(from + 1, 1, ...entries.slice(from, from + size))
          const { outcomes, answers } = app.apply(batch) as AppliedRequests<string, unknown>
          firsts.push(...answers.map((it) => it?.index))
          applied.push(...outcomes.map(({ index, command }) => `${index} ${command}`))
        }
        expect(firsts).toEqual(expected(moves))
        const once = moves.flatMap((it, i) =>
          'limits' in it || firsts[i] !== i + 1 ? [] : [`${i + 1} ${wordOf(it)}`],
        )
        expect(applied).toEqual(once)
        const words = applied.map((it) => it.slice(it.indexOf(' ') + 1))
        expect(app.query('all')).toEqual(words.filter((it) => !it.startsWith('bad')))
      },
    ),
    { numRuns: 300 },
  )
})
