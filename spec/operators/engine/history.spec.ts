import { describe, expect, it } from 'vitest'
import { noop } from '../../../lib/batch.ts'
import { Compacted, ConfigError } from '../../../lib/errors.ts'
import { append, compact, emptyLog } from '../../../lib/log.ts'
import { msgpack } from '../../../operators/codec.ts'
import { history } from '../../../operators/engine/history.ts'
import { Repeats } from '../../../operators/engine/repeats.ts'
import { commands, requests, stateWith } from '../support.ts'

const log = append(emptyLog(), [
  noop(1, 1),
  commands(2, 1, 'a', 'b'),
  noop(4, 2),
  commands(5, 2, 'c'),
  commands(6, 2, 'd', 'e'),
])
const codec = msgpack<string>()
const applied = (appliedIndex: number) => stateWith({ log, appliedIndex })
const read = (appliedIndex: number, from: number, limit?: number) =>
  history(applied(appliedIndex), codec, from, limit).map(
    ({ index, term, command }) => `${command} ${index}@${term}`,
  )

describe('history', () => {
  it('is every applied command, without what is not a command', () => {
    expect(read(7, 1)).toEqual(['a 2@1', 'b 3@1', 'c 5@2', 'd 6@2', 'e 7@2'])
  })

  it('ends with what is applied, in the middle of a batch too', () => {
    expect(read(6, 1)).toEqual(['a 2@1', 'b 3@1', 'c 5@2', 'd 6@2'])
    expect(read(0, 1)).toEqual([])
  })

  it('begins where it is asked to, in the middle of a batch too', () => {
    expect(read(7, 5)).toEqual(['c 5@2', 'd 6@2', 'e 7@2'])
    expect(read(7, 7)).toEqual(['e 7@2'])
    expect(read(3, 3)).toEqual(['b 3@1'])
    expect(read(7, 8)).toEqual([])
    expect(read(7, 1000)).toEqual([])
  })

  it('begins in the middle of a batch and goes on with the next', () => {
    expect(read(7, 3)).toEqual(['b 3@1', 'c 5@2', 'd 6@2', 'e 7@2'])
  })

  it('is at most `limit` commands, and none only when there are no more', () => {
    expect(read(7, 1, 1)).toEqual(['a 2@1'])
    expect(read(7, 4, 1)).toEqual(['c 5@2'])
    expect(read(7, 2, 3)).toEqual(['a 2@1', 'b 3@1', 'c 5@2'])
  })

  it('can be read in pieces of any size without a gap', () => {
    for (let limit = 1; limit <= 6; limit++) {
      const pieces: string[] = []
      let from = 1
      for (;;) {
        const piece = history(applied(7), codec, from, limit)
        if (piece.length === 0) break
        pieces.push(...piece.map(({ command }) => command))
        from = piece.at(-1)!.index + 1
      }
      expect(pieces).toEqual(['a', 'b', 'c', 'd', 'e'])
    }
  })

  it('has no index before the first', () => {
    for (const from of [0, -1, 1.5, NaN]) {
      expect(() => read(7, from)).toThrow(ConfigError)
      expect(() => read(7, from)).toThrow(
        `from is ${from}: it should be a whole number, at least 1`,
      )
    }
  })

  it('of a log that begins later throws Compacted for what is before, and knows where it begins', () => {
    const short = compact(log, 4)
    const state = stateWith({ log: short, appliedIndex: 7 })
    expect(history(state, codec, 5).map(({ command }) => command)).toEqual(['c', 'd', 'e'])
    for (const from of [1, 4]) {
      expect(() => history(state, codec, from)).toThrow(Compacted)
      expect(() => history(state, codec, from)).toThrow(/index \d is compacted: .* begins at 5/)
    }
  })

  it('of a log that goes on behind what is applied is empty', () => {
    const state = stateWith({ log: emptyLog({ index: 9, term: 2 }), appliedIndex: 7 })
    expect(() => history(state, codec, 8)).toThrow(Compacted)
    expect(history(state, codec, 10)).toEqual([])
  })

  it('has the commands of requests, each once and without what stands before it', () => {
    const session = { index: 1, term: 1 }
    const batch = requests(1, 1, { sessions: 9, results: 9, entries: 9 }, [
      { session, sequence: 0, lowest: 0 },
      'a',
    ])
    const again = requests(3, 1, [{ session, sequence: 0, lowest: 0 }, 'a'])
    const log = append(emptyLog(), [batch, again, commands(4, 1, 'b')])
    const repeats = new Repeats()
    repeats.add(3)
    const from = (index: number) =>
      history(stateWith({ log, appliedIndex: 4 }), codec, index, 10, repeats).map(
        ({ index: at, command }) => `${command} ${at}`,
      )
    expect(from(1)).toEqual(['a 2', 'b 4'])
    expect(from(3)).toEqual(['b 4'])
    repeats.forget(3)
    expect(repeats.piece()).toEqual({ base: 2, indexes: [3] })
    expect(from(3)).toEqual(['b 4'])
    expect(() => from(2)).toThrow(new Compacted(2, 3))
    repeats.forget(4)
    expect(repeats.piece()).toEqual({ base: 3, indexes: [] })
  })
})
