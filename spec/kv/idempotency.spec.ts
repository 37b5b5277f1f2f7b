import { firstValueFrom } from 'rxjs'
import { memory } from 'rxraft/storage/memory'
import { afterEach, describe, expect, it } from 'vitest'
import { answered, answerTo, NO_ANSWERS, remember } from '../../kv/answers.ts'
import { store, type Command, type Outcome, type Store, type Write } from '../../kv/machine.ts'
import { pieces, withPiece } from '../../kv/pieces.ts'
import { cluster } from './cluster.ts'
import { aText, containing, eventually, start, stopAll, stuck, type Running } from './support.ts'

afterEach(stopAll)

const put = (key: string, value: string, condition: Write[2 | 3] = null): Write =>
  ['put', key, Buffer.from(value), condition] as Write

const once = (name: string, write: Write, digest = JSON.stringify(write)): Command => [
  'once',
  name,
  digest,
  write,
]

/** Applies commands at indexes 1, 2, 3 … and terms alike. */
function play(commands: readonly Command[], from = store.initial) {
  let state = from
  const results = commands.map((command) => {
    const index = state.index + 1
    const [next, result] = store.apply(state, command, { index, term: index * 10 })
    state = next
    return result
  })
  return { state, results }
}

const versionOf = (state: typeof store.initial, key: string): number | undefined =>
  store.query!(state, { type: 'get', key }).items[0]?.version

describe('a command with a name', () => {
  it('is carried out once, and answered as at the first time', () => {
    const { state, results } = play([
      once('n', put('x', '1')),
      put('x', '2'),
      once('n', put('x', '1')),
    ])
    const first = { index: 1, term: 10 }
    expect(results).toEqual([
      { ok: true, version: 1 },
      { ok: true, version: 2 },
      { ok: true, version: 1, first },
    ])
    expect(versionOf(state, 'x')).toBe(2)
    expect(state.index).toBe(3)
  })

  it('fails again as it failed at first, whatever has changed since', () => {
    const absent = once('n', put('x', '2', 'absent'))
    const { results } = play([put('x', '1'), absent, ['delete', 'x', null], absent])
    expect(results[1]).toEqual({ ok: false, reason: 'condition', version: 1 })
    expect(results[3]).toEqual({ ...results[1], first: { index: 2, term: 20 } })
  })

  it('is refused when another has it, and changes nothing', () => {
    const { state, results } = play([once('n', put('x', '1')), once('n', put('x', '2'))])
    expect(results[1]).toEqual({ ok: false, reason: 'reused', version: 0 })
    expect(versionOf(state, 'x')).toBe(1)
  })

  it('that throws leaves its name free', () => {
    const wrong = once('n', ['touch', 'x'] as unknown as Write)
    expect(() => play([wrong])).toThrow('touch')
  })

  it('is remembered in snapshots', () => {
    const { state } = play([once('n', put('x', '1'))])
    const restored = [...pieces(state)]
      .map((piece) => structuredClone(piece))
      .reduce<Store>(withPiece, store.initial)
    const { results } = play([once('n', put('x', '1'))], restored)
    expect(results[0]).toEqual({ ok: true, version: 1, first: { index: 1, term: 10 } })
  })
})

describe('what came of requests', () => {
  const outcome: Outcome = { ok: true, version: 1 }
  const after = (...names: string[]) =>
    names.reduce(
      (answers, name, i) =>
        remember(answers, name, { digest: '', outcome, at: { index: 35 + i, term: 1 } }, 3),
      NO_ANSWERS,
    )

  it('is kept of the newest, and forgotten in the order of the log', () => {
    const answers = after('d', 'a', 'c', 'b')
    expect([...answered(answers)].map(([name]) => name)).toEqual(['a', 'c', 'b'])
    expect(answerTo(answers, 'd')).toBeUndefined()
    expect(answerTo(answers, 'a')).toMatchObject({ outcome })
    expect(answers.size).toBe(3)
  })
})

/** A server that leads itself, and a write to it under an idempotency key. */
async function leading(...args: Parameters<typeof start>) {
  const running = await start(...args)
  await eventually(async () => (await running.ask('/readyz')).status === 200 || undefined)
  return { ...running, keyed: keyed(running) }
}

const keyed =
  ({ put }: Pick<Running, 'put'>) =>
  (key: string, body: string, name: string, more: Record<string, string> = {}) =>
    put(key, body, { 'idempotency-key': name, ...more })

describe('Idempotency-Key', () => {
  it('carries a request out once, and gives a repeated one the first answer', async () => {
    const { keyed, put, ask } = await leading()
    const first = await keyed('x', '1', 'k')
    expect(first.status).toBe(200)
    expect(first.headers['idempotent-replayed']).toBeUndefined()
    await put('x', '2')
    const again = await keyed('x', '1', 'k')
    expect(again).toMatchObject({ status: 200, headers: { 'idempotent-replayed': 'true' } })
    expect(again.json).toEqual(first.json)
    expect((await ask('/kv/x')).text).toBe('2')
  })

  it('does so for what failed, and for DELETE', async () => {
    const { keyed, put, ask } = await leading()
    const { index } = (await put('x', '1')).json
    const failed = await keyed('x', '2', 'k', { 'if-none-match': '*' })
    expect(failed).toMatchObject({ status: 412, json: { version: index } })
    const remove = () => ask('/kv/x', { method: 'DELETE', headers: { 'idempotency-key': 'd' } })
    const removed = await remove()
    expect(removed.status).toBe(200)
    expect((await remove()).json).toEqual(removed.json)
    const still = await keyed('x', '2', 'k', { 'if-none-match': '*' })
    expect(still).toMatchObject({ status: 412, json: { version: index } })
    const absent = () => ask('/kv/y', { method: 'DELETE', headers: { 'idempotency-key': 'e' } })
    expect((await absent()).status).toBe(404)
    await put('y', '1')
    expect((await absent()).status).toBe(404)
    expect((await ask('/kv/y')).text).toBe('1')
  })

  it('is of one request: another method, key, value or condition is 422', async () => {
    const { keyed, ask } = await leading()
    await keyed('x', '1', 'k')
    const reused = { status: 422, json: { error: 'idempotency-key-reused', message: aText } }
    expect(await keyed('y', '1', 'k')).toMatchObject(reused)
    expect(await keyed('x', '2', 'k')).toMatchObject(reused)
    expect(await keyed('x', '1', 'k', { 'if-match': '*' })).toMatchObject(reused)
    const headers = { 'idempotency-key': 'k' }
    expect(await ask('/kv/x', { method: 'DELETE', headers })).toMatchObject(reused)
    expect((await keyed('x', '1', 'k')).status).toBe(200)
  })

  it('does not tell a request that was refused from a new one', async () => {
    const { keyed } = await leading({ service: { maxValueBytes: 3 } })
    expect((await keyed('x', '1234', 'k')).status).toBe(413)
    expect((await keyed('x', '123', 'k')).status).toBe(200)
  })

  it('has 1 to 255 characters', async () => {
    const { keyed } = await leading()
    expect((await keyed('x', '1', 'k'.repeat(255))).status).toBe(200)
    const refused = {
      status: 400,
      json: { error: 'bad-idempotency-key', message: containing('255') },
    }
    expect(await keyed('x', '1', 'k'.repeat(256))).toMatchObject(refused)
    expect(await keyed('x', '1', '')).toMatchObject(refused)
    expect(await keyed('x', '1', 'k\u00e9')).toMatchObject(refused)
  })

  it('makes one change of requests that are sent together, and one event [F45]', async () => {
    const { keyed, node, history } = await leading()
    const replies = await Promise.all([1, 2, 3, 4].map(() => keyed('x', '1', 'k')))
    expect(new Set(replies.map(({ json }) => json.index)).size).toBe(1)
    await keyed('y', '2', 'l')
    const changes = [0, 1, 2].map((i) => history.at(i)?.key)
    expect(changes).toEqual(['x', 'y', undefined])
    expect(node.history(1).length).toBe(5)
  })

  it('is known after a restart, from a snapshot and from the log', async () => {
    const storage = memory()
    const before = await leading({ storage })
    const one = await before.keyed('x', '1', 'k')
    await firstValueFrom(before.node.snapshot())
    const two = await before.keyed('x', '2', 'l')
    before.stop()
    const { keyed, ask } = await leading({ storage })
    expect((await keyed('x', '1', 'k')).json).toEqual(one.json)
    expect((await keyed('x', '2', 'l')).json).toEqual(two.json)
    expect((await ask('/kv/x')).text).toBe('2')
  })

  it('is known to another leader', async () => {
    const it = await cluster('abc')
    const first = await it.leader()
    const one = await keyed(first)('x', '1', 'k')
    expect((await first.ask('/transfer', { method: 'POST' })).status).toBe(200)
    const second = await it.leader()
    expect(second.url).not.toBe(first.url)
    await eventually(async () => (await second.put('x', '2')).status === 200 || undefined)
    expect((await keyed(second)('x', '1', 'k')).json).toEqual(one.json)
    expect((await second.ask('/kv/x')).text).toBe('2')
  })

  it('makes an unknown outcome one that can be asked for again [F42]', async () => {
    const running = await start({ ...stuck(), proposeTimeout: 200 })
    await eventually(async () => (await running.ask('/status')).json.role === 'leader' || undefined)
    expect(await keyed(running)('x', 'x', 'k')).toMatchObject({
      status: 504,
      headers: { 'retry-after': '1' },
      json: { outcome: 'unknown', repeatable: true, message: containing('Idempotency-Key') },
    })
    const { json } = await running.put('x', 'x')
    expect(json.repeatable).toBeUndefined()
  })
})
