import { firstValueFrom, take, toArray } from 'rxjs'
import { connect as connectTo } from 'rxraft/client'
import { serveClients } from 'rxraft/client/server'
import { expect, it, onTestFinished } from 'vitest'
import { raft } from '../../operators/engine/index.ts'
import { clientPort } from '../../kv/clientPort.ts'
import { connect, ConditionFailed, type Change } from '../../kv/connect.ts'
import { History } from '../../kv/history.ts'
import { store, type Command } from '../../kv/machine.ts'
import { eventually } from '../adapters/client/bench.ts'

/** A store of one server, with its port for clients. */
async function open(limits = {}) {
  const node = raft({ id: 'a', machine: store })
  const history = new History(node, limits)
  let address: string | undefined
  const serving = serveClients(node, {
    ...{ cluster: 'rxraft', listen: '127.0.0.1:0', ...clientPort(history, 1000) },
  }).subscribe(({ message }) => (address = /[\d.]+:\d+$/.exec(message)?.[0] ?? address))
  const running = node.connect()
  const servers = [await eventually(() => address)]
  const client = connect({ servers })
  const raw = connectTo({ servers, cluster: 'rxraft', machine: store })
  onTestFinished(() => {
    client.close()
    raw.close()
    serving.unsubscribe()
    running.unsubscribe()
  })
  const put = (key: string, value: string) => firstValueFrom(client.put(key, value))
  const get = (key: string) => firstValueFrom(client.get(key))
  return { node, client, raw, put, get }
}

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)

it('what is put is there, with its version, until it is deleted', async () => {
  const { client, put, get } = await open()
  const version = await put('greeting', 'hello')
  const item = await get('greeting')
  expect(item).toMatchObject({ key: 'greeting', version })
  expect(text(item?.value)).toBe('hello')
  expect(await firstValueFrom(client.delete('greeting'))).toBe(true)
  expect(await get('greeting')).toBeUndefined()
  expect(await firstValueFrom(client.delete('greeting'))).toBe(false)
})

it('a condition that does not hold is an error that says what there is', async () => {
  const { client, put } = await open()
  const version = await put('a', '1')
  const absent$ = client.put('a', '2', { if: 'absent' })
  await expect(firstValueFrom(absent$)).rejects.toThrow(ConditionFailed)
  await expect(firstValueFrom(absent$)).rejects.toThrow(`"a" has version ${version}`)
  const later = await firstValueFrom(client.put('a', '2', { if: version }))
  await expect(firstValueFrom(client.delete('a', { if: version }))).rejects.toMatchObject({
    ...{ code: 'condition-failed', version: later, outcome: 'none' },
  })
})

it('keys are listed in order, piece by piece', async () => {
  const { client, put } = await open()
  for (const key of ['b', 'ab', 'aa', 'ac']) await put(key, key)
  const first = await firstValueFrom(client.list('a', { limit: 2 }))
  expect(first).toMatchObject({ items: [{ key: 'aa' }, { key: 'ab' }], more: true })
  const rest = await firstValueFrom(client.list('a', { after: 'ab' }))
  expect(rest).toMatchObject({ items: [{ key: 'ac' }], more: false })
})

it('a watch has the changes of its keys, past and to come, and no writes that failed', async () => {
  const { client, put } = await open()
  const first = await put('a1', 'x')
  await put('b', 'x')
  const past = firstValueFrom(client.watch('a', 1).pipe(take(3), toArray()))
  await firstValueFrom(client.put('a1', 'y', { if: 'absent' })).catch(() => undefined)
  const second = await put('a2', 'z')
  await firstValueFrom(client.delete('a1'))
  expect(await past).toMatchObject([
    { type: 'put', key: 'a1', version: first },
    { type: 'put', key: 'a2', version: second },
    { type: 'delete', key: 'a1' },
  ])
})

it('a watch from now on has nothing of the past', async () => {
  const { client, put, get } = await open()
  await put('a', 'before')
  const seen: Change[] = []
  client.watch('').subscribe((change) => seen.push(change))
  await get('a')
  const version = await put('a', 'after')
  await eventually(() => seen.length > 0 || undefined)
  expect(seen.map((change) => change.version)).toEqual([version])
})

it('a watch of what is no longer kept errors with where it can begin', async () => {
  const { client, put } = await open({ changes: 2 })
  const versions = []
  for (const key of ['a', 'b', 'c']) versions.push(await put(key, key))
  await expect(firstValueFrom(client.watch('', 1))).rejects.toMatchObject({
    ...{ code: 'compacted', index: 1, firstIndex: versions[0]! + 1 },
  })
})

const bytes = new Uint8Array([1])

it.each<[unknown, string]>([
  ['x', 'a command should be a tuple'],
  [['time', 1], 'a key should be a text'],
  [['once', 'name', 'digest', ['put', 'a', bytes, null]], "should be 'put' or 'delete'"],
  [['put', '', bytes, null], 'a key should be a text of 1 to 1024 bytes'],
  [['put', 'é'.repeat(513), bytes, null], 'a key should be a text of 1 to 1024 bytes'],
  [['put', 7, bytes, null], 'a key should be a text'],
  [['put', 'a', 'text', null], 'a value should be bytes'],
  [['put', 'a', new Uint8Array(1001), null], 'the value has 1001 bytes: at most 1000'],
  [['put', 'a', bytes, 'maybe'], 'a condition should be'],
  [['put', 'a', bytes, -1], 'a condition should be'],
  [['put', 'a', bytes, null, { ttl: 1, at: 0 }], 'a command should have a key'],
  [['delete', 'a'], 'a command should have a key'],
])('a command is not taken, and is not in the log, when it is wrong: %#', async (command, said) => {
  const { raw, node } = await open()
  await expect(firstValueFrom(raw.propose(command as Command))).rejects.toThrow(said)
  expect(node.history(1)).toEqual([])
})

it.each<[unknown, string]>([
  [{ type: 'clock' }, "a question should be 'get' or 'list'"],
  [{ type: 'get' }, 'a get should name a key'],
  [{ type: 'list', prefix: '', after: '', limit: 1001, bytes: 1 }, 'at most 1000 keys'],
  [{ type: 'list', prefix: '', after: '', limit: 1, bytes: 2 ** 21 }, 'at most 1048576 bytes'],
  [{ type: 'list', limit: 1, bytes: 1 }, 'a list should have a prefix'],
  [null, "a question should be 'get' or 'list'"],
])('a question is not answered when it is wrong: %#', async (question, said) => {
  const { raw } = await open()
  await expect(firstValueFrom(raw.query(question as never))).rejects.toThrow(said)
})
