import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { firstValueFrom } from 'rxjs'
import { connect, type Change, type StoreClient } from 'rxraft/kv'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { authority } from '../adapters/transport/certificates.ts'
import { freePorts } from '../../bench/harness/ports.ts'
import { eventually, Servers } from './servers.ts'

/** Real servers, and their port for clients. */
let servers: Servers
let ports: Readonly<Record<string, number>>
const clients: StoreClient[] = []

const addressOf = (id: string): string => `127.0.0.1:${ports[id]}`

const webAddressOf = (id: string): string =>
  `${servers.running.get(id)!.http.replace('http', 'ws')}/clients`

beforeEach(async () => {
  servers = await Servers.create()
  const [a, b, c] = await freePorts(3)
  ports = { a: a!, b: b!, c: c! }
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await servers.close()
})

function start(id: string, more: readonly string[] = []): void {
  const members = servers.ids.flatMap((it) => [
    ...['--member', `${servers.memberOf(it)},tcp://${addressOf(it)}`],
  ])
  servers.start(id, { founders: [], args: [...members, '--clients', addressOf(id), ...more] })
}

function client(ids: readonly string[], options = {}): StoreClient {
  const made = connect({ servers: ids.map(addressOf), timeout: 20_000, WebSocket, ...options })
  clients.push(made)
  return made
}

/** Puts one key after the other, and says how many there were. */
function writing(store: StoreClient, name: string) {
  const state = { count: 0, isOver: false }
  const done = (async () => {
    while (!state.isOver) {
      await firstValueFrom(store.put(`${name}-${state.count}`, 'x'))
      state.count++
    }
  })()
  return { state, stop: () => ((state.isOver = true), done) }
}

test.each([
  ['over TCP', addressOf],
  ['over WebSockets', webAddressOf],
])(
  'clients go on %s when the leader is killed, and everything was written once',
  { timeout: 60_000 },
  async (_, where) => {
    for (const id of servers.ids) start(id)
    const leader = await servers.leader()
    const followers = servers.ids.filter((id) => id !== leader.id)
    // Neither knows the leader: one is told where it is, the other where its successor is.
    const stores = followers.map((id) => client([id], { servers: [where(id)] }))
    const changes: Change[] = []
    stores[0]!.watch('', 1).subscribe((change) => changes.push(change))
    const writers = [1, 2, 3, 4].map((n) => writing(stores[n % 2]!, `writer${n}`))
    const written = () => writers.reduce((sum, { state }) => sum + state.count, 0)

    await eventually('writes', () => written() >= 200 || undefined)
    await servers.stop(leader.id, 'SIGKILL')
    const before = written()
    await eventually('writes after the kill', () => written() >= before + 200 || undefined)
    start(leader.id)
    const then = written()
    await eventually('more writes', () => written() >= then + 100 || undefined)
    await Promise.all(writers.map((it) => it.stop()))

    const total = written()
    await eventually('all of the changes', () => changes.length >= total || undefined)
    const keys = changes.map(({ key }) => key)
    expect(keys).toHaveLength(total)
    expect(new Set(keys).size).toBe(total)
  },
)

test('a secret of the clients lets in whoever has it', { timeout: 60_000 }, async () => {
  const file = join(servers.data, 'secret')
  writeFileSync(file, 'a secret that is long enough\n')
  for (const id of servers.ids) start(id, ['--clients-secret-file', file])
  const friend = client(servers.ids, { secret: 'a secret that is long enough' })
  expect(await firstValueFrom(friend.put('a', 'b'))).toBeGreaterThan(0)
  const stranger = client(servers.ids, { secret: 'another that is long enough' })
  await expect(firstValueFrom(stranger.get('a'))).rejects.toMatchObject({ code: 'refused' })
})

test('with certificates, servers ask their clients for one, too', { timeout: 60_000 }, async () => {
  const { issue } = authority()
  const kept = (name: string, pem: unknown): string => {
    const file = join(servers.data, name)
    writeFileSync(file, String(pem))
    return file
  }
  for (const id of servers.ids) {
    const { ca, cert, key } = issue([`raft://rxraft/${id}`])
    // prettier-ignore
    start(id, ['--tls-ca', kept('ca', ca), '--tls-cert', kept(`${id}.cert`, cert),
      '--tls-key', kept(`${id}.key`, key)])
  }
  const friend = client(servers.ids, { tls: issue(['raft://rxraft%2Fclients/alice']) })
  expect(await firstValueFrom(friend.put('a', 'b'))).toBeGreaterThan(0)
  const stranger = client(servers.ids, { tls: authority().issue(['raft://rxraft%2Fclients/eve']) })
  await expect(firstValueFrom(stranger.get('a'))).rejects.toMatchObject({ code: 'refused' })
})
