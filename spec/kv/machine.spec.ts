import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commandCodec } from '../../kv/codec.ts'
import { store, type Command, type List, type Result, type Store } from '../../kv/machine.ts'

const codec = commandCodec()
const bytes = (text: string) => Buffer.from(text)

/** Applies commands the way a node does: decoded from the log, at indexes 1, 2, 3 … */
function play(...commands: Command[]): { state: Store; results: Result[] } {
  let state = store.initial
  const results = commands.map((command, i) => {
    const decoded = codec.decode(codec.encode(command))
    const [next, result] = store.apply(state, decoded, { index: i + 1, term: 1 })
    state = next
    return result
  })
  return { state, results }
}

const read = (state: Store, key: string) => {
  const item = store.query!(state, { type: 'get', key }).items[0]
  return item && { value: Buffer.from(item.value).toString(), version: item.version }
}

/** All that there is. */
const listed = (state: Store) =>
  store.query!(state, { type: 'list', prefix: '', after: '', limit: 1_000, bytes: 1e6 }).items.map(
    ({ key, value, version }) => [key, Buffer.from(value).toString(), version],
  )

const put = (key: string, value: string, condition: Command[2] = null) =>
  ['put', key, bytes(value), condition] as Command

describe('a put', () => {
  it('writes the value, with its index as version', () => {
    const { state, results } = play(put('x', '1'), put('x', '2'))
    expect(results).toEqual([
      { ok: true, version: 1 },
      { ok: true, version: 2 },
    ])
    expect(read(state, 'x')).toEqual({ value: '2', version: 2 })
  })

  it('over a version takes effect only over that version', () => {
    const { state, results } = play(put('x', '1'), put('x', '2', 1), put('x', '3', 1))
    expect(results[1]).toEqual({ ok: true, version: 2 })
    expect(results[2]).toEqual({ ok: false, reason: 'condition', version: 2 })
    expect(read(state, 'x')).toEqual({ value: '2', version: 2 })
  })

  it('over a version of an absent key fails, and leaves it absent [F46]', () => {
    const { state, results } = play(put('x', '1', 7), put('x', '1', 0), put('x', '1', 'present'))
    const failed = { ok: false, reason: 'condition', version: 0 }
    expect(results).toEqual([failed, failed, failed])
    expect(read(state, 'x')).toBeUndefined()
  })

  it('over any version takes effect where there is one', () => {
    expect(play(put('x', '1'), put('x', '2', 'present')).results[1]).toMatchObject({ ok: true })
  })

  it('where there is none takes effect once', () => {
    const { results } = play(put('x', '1', 'absent'), put('x', '2', 'absent'))
    expect(results).toEqual([
      { ok: true, version: 1 },
      { ok: false, reason: 'condition', version: 1 },
    ])
  })

  it.each([0, 5, 255, 256, 5_000])('keeps its own copy of a value of %i bytes', (length) => {
    const encoded = codec.encode(put('x', 'h'.repeat(length)))
    for (const decode of [
      () => codec.decode(encoded),
      () => codec.decodeWithin!(encoded, 0, encoded.length),
    ]) {
      const bytes = Uint8Array.from(encoded)
      const [state] = store.apply(store.initial, decode(), { index: 1, term: 1 })
      encoded.fill(0)
      expect(read(state, 'x')?.value).toBe('h'.repeat(length))
      const [item] = store.query!(state, { type: 'get', key: 'x' }).items
      expect(item?.value.buffer.byteLength).toBe(length)
      encoded.set(bytes)
    }
  })

  it('changes in place only what it has made in the same run, and the states between runs never', () => {
    const runs = fc.array(
      fc.array(fc.tuple(fc.stringMatching(/^[a-d]{1,3}$/), fc.string({ maxLength: 3 }))),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(runs, (all) => {
        const states = [store.initial]
        const kept = [JSON.stringify(listed(store.initial))]
        let [alone, index] = [store.initial, 0]
        for (const commands of all) {
          const run = {}
          let state = states.at(-1)!
          for (const [key, value] of commands) {
            index++
            state = store.apply(state, put(key, value), { index, term: 1, run })[0]
            alone = store.apply(alone, put(key, value), { index, term: 1 })[0]
          }
          states.push(state)
          kept.push(JSON.stringify(listed(state)))
        }
        expect(states.map((state) => JSON.stringify(listed(state)))).toEqual(kept)
        expect(listed(states.at(-1)!)).toEqual(listed(alone))
        expect(store.fingerprint!(states.at(-1)!)).toBe(store.fingerprint!(alone))
      }),
    )
  })
})

describe('a delete', () => {
  it('removes the key; a new value begins with a new version', () => {
    const { state, results } = play(put('x', '1'), ['delete', 'x', null], put('x', '2', 'absent'))
    expect(results[1]).toEqual({ ok: true, version: 2 })
    expect(read(state, 'x')).toEqual({ value: '2', version: 3 })
  })

  it('of an absent key finds nothing, or fails its condition [F46]', () => {
    const { results } = play(['delete', 'x', null], ['delete', 'x', 3])
    expect(results).toEqual([
      { ok: false, reason: 'not-found', version: 0 },
      { ok: false, reason: 'condition', version: 0 },
    ])
  })

  it('of a version takes effect only on that version', () => {
    const { results } = play(put('x', '1'), ['delete', 'x', 9], ['delete', 'x', 1])
    expect(results[1]).toEqual({ ok: false, reason: 'condition', version: 1 })
    expect(results[2]).toEqual({ ok: true, version: 3 })
  })
})

it('a command of a kind that it does not know throws, and so changes nothing', () => {
  const command = ['touch', 'x'] as unknown as Command
  expect(() => store.apply(store.initial, command, { index: 1, term: 1 })).toThrow('touch')
})

it('no state changes once it exists', () => {
  const { state } = play(put('x', '1'))
  store.apply(state, put('x', '2'), { index: 2, term: 1 })
  store.apply(state, ['delete', 'x', null], { index: 2, term: 1 })
  expect(read(state, 'x')).toEqual({ value: '1', version: 1 })
})

describe('a list', () => {
  const { state } = play(
    ...['b', 'a/2', 'a/10', 'a', '__proto__', 'a/\u{1f600}', 'a/\ufffd'].map((key) =>
      put(key, key),
    ),
  )
  const list = (options: Partial<List>) => {
    const all = { prefix: '', after: '', limit: 100, bytes: 1000 }
    const { items, more, index } = store.query!(state, { type: 'list', ...all, ...options })
    return { keys: items.map(({ key }) => key), more, index }
  }

  it('is in the order of bytes', () => {
    const keys = ['__proto__', 'a', 'a/10', 'a/2', 'a/\ufffd', 'a/\u{1f600}', 'b']
    expect(list({})).toEqual({ keys, more: false, index: 7 })
  })

  it('holds only keys with the prefix', () => {
    expect(list({ prefix: 'a/' }).keys).toEqual(['a/10', 'a/2', 'a/\ufffd', 'a/\u{1f600}'])
    expect(list({ prefix: 'c' })).toEqual({ keys: [], more: false, index: 7 })
  })

  it('goes on after a key, and tells whether there is more', () => {
    expect(list({ prefix: 'a', limit: 2 })).toMatchObject({ keys: ['a', 'a/10'], more: true })
    expect(list({ prefix: 'a', after: 'a/10', limit: 2 }).more).toBe(true)
    expect(list({ prefix: 'a', after: 'a/2', limit: 2 })).toMatchObject({
      keys: ['a/\ufffd', 'a/\u{1f600}'],
      more: false,
    })
    expect(list({ prefix: 'a', after: 'a/1' }).keys[0]).toBe('a/10')
    expect(list({ prefix: 'a', after: 'b' }).keys).toEqual([])
  })

  it('ends where its values become too large, but holds at least one', () => {
    expect(list({ bytes: 10 })).toMatchObject({ keys: ['__proto__', 'a'], more: true })
    expect(list({ bytes: 0 })).toMatchObject({ keys: ['__proto__'], more: true })
  })
})
