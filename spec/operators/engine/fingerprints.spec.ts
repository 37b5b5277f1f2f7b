import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noop, type Batch } from '../../../lib/batch.ts'
import { foundingMembers } from '../../../lib/members.ts'
import { msgpack } from '../../../operators/codec.ts'
import { application } from '../../../operators/engine/application.ts'
import type { AppliedRequests } from '../../../operators/engine/clients.ts'
import { commands, requests } from '../support.ts'

/** Writes words down; the fingerprint is what is written. */
const machine = {
  initial: '',
  apply: (written: string, word: string) => [written + word, written.length] as const,
  fingerprint: (written: string) => written || '-',
}

const running = (every: number) => application(machine, msgpack<string>(), every)

const words = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

describe('fingerprints', () => {
  it('are taken exactly after every so many entries, also inside a batch', () => {
    const { apply } = running(3)
    const { outcomes, fingerprints, batch } = apply(commands(1, 1, ...words))
    expect(outcomes).toHaveLength(7)
    expect(outcomes).toEqual(running(100).apply(commands(1, 1, ...words)).outcomes)
    expect(batch.count).toBe(7)
    expect(fingerprints).toEqual([
      { index: 3, value: 'abc' },
      { index: 6, value: 'abcdef' },
    ])
    expect(apply(commands(8, 1, 'h')).fingerprints).toBeUndefined()
    expect(apply(noop(9, 2)).fingerprints).toEqual([{ index: 9, value: 'abcdefgh' }])
  })

  it('are the same however the entries come in batches', () => {
    const whole = running(3).apply(commands(1, 1, ...words)).fingerprints
    fc.assert(
      fc.property(fc.subarray([1, 2, 3, 4, 5, 6]), (cuts) => {
        const { apply } = running(3)
        const parts = [0, ...cuts].map((cut, i): Batch =>
          commands(cut + 1, 1, ...words.slice(cut, cuts[i] ?? 7)),
        )
        expect(parts.flatMap((part) => apply(part).fingerprints ?? [])).toEqual(whole)
      }),
    )
  })

  it('cut requests without changing what they are answered', () => {
    const session = { index: 1, term: 1 }
    const named = (sequence: number) => ({ session, sequence, lowest: 0 })
    const limits = { sessions: 9, results: 9, entries: 99 }
    const batch = () => requests(1, 1, limits, [named(0), 'a'], [named(0), 'a'], [named(1), 'b'])
    const cut = running(2).apply(batch()) as AppliedRequests<string, number>
    const { fingerprints, ...rest } = cut
    expect(rest).toEqual(running(100).apply(batch()))
    expect(rest.answers).toHaveLength(4)
    expect(fingerprints).toEqual([
      { index: 2, value: 'a' },
      { index: 4, value: 'ab' },
    ])
  })

  it('go on at the same entries behind a snapshot', () => {
    const before = running(3)
    before.apply(commands(1, 1, ...words.slice(0, 4)))
    const { position, next } = before.capture()
    const after = running(3)
    next(
      (bytes, isLast) =>
        after.restore({
          mark: { ...position, members: foundingMembers(['a']) },
          ...{ offset: 0, bytes, isLast },
        }),
      (error) => expect.unreachable(String(error)),
    )
    expect(after.apply(commands(5, 1, 'e', 'f')).fingerprints).toEqual([
      { index: 6, value: 'abcdef' },
    ])
  })

  it('are not taken of a machine that gives none', () => {
    const { initial, apply } = machine
    const app = application({ initial, apply }, msgpack<string>(), 1)
    expect(app.apply(commands(1, 1, 'a'))).not.toHaveProperty('fingerprints')
  })

  it('that are none stop the node', () => {
    const app = application({ ...machine, fingerprint: () => 'two words' }, msgpack<string>(), 1)
    expect(() => app.apply(commands(1, 1, 'a'))).toThrow('"two words"')
  })
})
