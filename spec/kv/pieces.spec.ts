import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  store as machine,
  type Command,
  type Condition,
  type Store,
  type Write,
} from '../../kv/machine.ts'
import { answered } from '../../kv/answers.ts'
import { pieces, withPiece } from '../../kv/pieces.ts'
import { ascend } from '../../kv/tree.ts'

const key = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '__proto__', 'a/1', '\u{1f600}', '\ufffd'),
  fc.string({ minLength: 1, maxLength: 5 }),
)

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.constantFrom(null, 'absent', 'present'),
  fc.integer({ min: 1, max: 60 }),
)

const life = fc.record({ ttl: fc.integer({ min: 1, max: 20 }), at: fc.nat(40) })

const write: fc.Arbitrary<Write> = fc.oneof(
  fc.tuple(fc.constant('put' as const), key, fc.uint8Array({ maxLength: 9 }), condition),
  fc.tuple(fc.constant('put' as const), key, fc.uint8Array({ maxLength: 9 }), condition, life),
  fc.tuple(fc.constant('delete' as const), key, condition),
)

const command: fc.Arbitrary<Command> = fc.oneof(
  write,
  fc.tuple(fc.constant('time' as const), fc.nat(60)),
  fc.tuple(
    fc.constant('once' as const),
    fc.constantFrom('p', 'q', 'r', 's'),
    fc.constantFrom('1', '2'),
    write,
  ),
)

const commands = fc.array(command, { maxLength: 60 })

/** The state that commands lead to, at indexes that leave some out, and what they were answered. */
function play(state: Store, all: readonly Command[]): { state: Store; answers: unknown[] } {
  const answers = all.map((each) => {
    const [next, result] = machine.apply(state, each, { index: state.index + 2, term: 1 })
    state = next
    return result
  })
  return { state, answers }
}

/** What a server has that takes the pieces over from another. */
function restored(state: Store): Store {
  const all = [...pieces(state)].map((piece) => structuredClone(piece))
  return all.reduce<Store>((store, piece) => machine.restore!(store, piece), machine.initial)
}

const contents = (state: Store) => {
  const { entries, deadlines, index, now, answers } = state
  return {
    index,
    now,
    deadlines: [...ascend(deadlines)].map(({ key, value }) => [key, value]),
    entries: [...ascend(entries)].map(({ key, value }) => [key, value]),
    answers: [answers.size, ...answered(answers)],
    fingerprint: machine.fingerprint!(state),
  }
}

/** A store with so many keys, of so many bytes each. */
const filled = (keys: number, bytes: number): Store =>
  play(
    machine.initial,
    Array.from({ length: keys }, (_, i) => ['put', `key ${i}`, new Uint8Array(bytes), null]),
  ).state

describe('a store that was taken to pieces', () => {
  it('is the same put together again, and answers what comes after alike', () => {
    fc.assert(
      fc.property(commands, commands, (before, after) => {
        const { state } = play(machine.initial, before)
        const other = restored(state)
        expect(contents(other)).toEqual(contents(state))
        const [here, there] = [play(state, after), play(other, after)]
        expect(there.answers).toEqual(here.answers)
        expect(contents(there.state)).toEqual(contents(here.state))
      }),
    )
  })

  it('has the same fingerprint as another one if and only if the two are the same', () => {
    const both = fc.tuple(commands, commands)
    fc.assert(
      fc.property(both, ([some, others]) => {
        const { fingerprint: one, ...left } = contents(play(machine.initial, some).state)
        const { fingerprint: other, ...right } = contents(play(machine.initial, others).state)
        const isSame =
          JSON.stringify({ ...left, index: 0 }) === JSON.stringify({ ...right, index: 0 })
        expect(one === other).toBe(isSame)
      }),
      { numRuns: 500 },
    )
  })

  it('of more keys than one piece holds is the same, too', () => {
    const state = filled(1000, 1)
    expect([...pieces(state)]).toHaveLength(1 + 4)
    expect(contents(restored(state))).toEqual(contents(state))
  })

  it('of large values comes in small pieces', () => {
    const sizes = [...pieces(filled(10, 50_000))].map((piece) =>
      Array.isArray(piece) ? piece.length : 0,
    )
    expect(sizes).toEqual([0, 2, 2, 2, 2, 2])
  })

  it('is taken as it was when it began, whatever is written meanwhile', () => {
    const state = filled(600, 1)
    const taking = pieces(state)
    const all = [taking.next().value!]
    play(state, [
      ['put', 'key 599', new Uint8Array(2), null],
      ['delete', 'key 5', null],
    ])
    for (const piece of taking) all.push(piece)
    expect(contents(all.reduce<Store>(withPiece, machine.initial))).toEqual(contents(state))
  })
})
