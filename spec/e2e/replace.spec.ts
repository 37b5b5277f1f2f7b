import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { call } from '../../kv/client.ts'
import type { Listed } from '../../kv/memberList.ts'
import { eventually, Servers, statusOf, type Server } from './servers.ts'

interface Written {
  readonly key: string
  readonly value: string
  readonly index: number
}

/** Writes key after key through the client, which follows redirects and waits out elections. */
class Client {
  readonly written: Written[] = []
  readonly failures: string[] = []
  readonly finished: Promise<void>
  #isStopped = false

  /** `servers` are those whom it knows at the time of a write. */
  constructor(name: string, servers: ReadonlySet<string>) {
    this.finished = this.#run(name, servers)
  }

  stop(): Promise<void> {
    this.#isStopped = true
    return this.finished
  }

  async #run(name: string, servers: ReadonlySet<string>): Promise<void> {
    for (let i = 0; !this.#isStopped; i++) {
      const key = `${name}-${i}`
      const value = `value ${i} of ${name}`
      const known = [...servers]
      const order = [...known.slice(i % known.length), ...known.slice(0, i % known.length)]
      try {
        // A removed server stops at a moment of its own: whoever is connected then asks again elsewhere.
        const headers = { 'idempotency-key': key }
        const path = `/kv/${key}`
        const ask = { method: 'PUT', path, headers, body: Buffer.from(value) } as const
        const { status, body } = await call(ask, { servers: order })
        const { index } = JSON.parse(body.toString()) as { index: number }
        if (status === 200) this.written.push({ key, value, index })
        else this.failures.push(`${key}: ${status} ${body.toString()}`)
      } catch (error) {
        this.failures.push(`${key}: ${String(error)}`)
      }
    }
  }
}

/** Everything that a server holds, as its own list tells it page by page. */
async function contents({ http }: Server): Promise<Map<string, Omit<Written, 'key'>>> {
  const all = new Map<string, Omit<Written, 'key'>>()
  for (let after = '', more = true; more;) {
    const response = await fetch(`${http}/kv?consistency=stale&limit=1000&after=${after}`)
    const page = (await response.json()) as {
      items: { key: string; value: string; version: number }[]
      more: boolean
    }
    for (const { key, value, version } of page.items) all.set(key, { value, index: version })
    after = page.items.at(-1)?.key ?? ''
    more = page.more
  }
  return all
}

async function membersOf({ http }: Server): Promise<readonly Listed[]> {
  try {
    const { members } = (await (await fetch(`${http}/members`)).json()) as {
      members?: readonly Listed[]
    }
    return members ?? []
  } catch {
    return []
  }
}

const voters = (members: readonly Listed[]): string =>
  members.flatMap(({ id, role }) => (role === 'voter' ? [id] : [])).join('')

async function expectEverything(server: Server, all: readonly Written[]): Promise<void> {
  const last = Math.max(...all.map(({ index }) => index))
  await eventually(`${server.id} to catch up`, async () =>
    ((await statusOf(server))?.appliedIndex ?? 0) >= last ? true : undefined,
  )
  const held = await contents(server)
  const lost = all.filter(({ key, value, index }) => {
    const found = held.get(key)
    return found?.value !== value || found.index !== index
  })
  expect({ server: server.id, lost }).toEqual({ server: server.id, lost: [] })
}

/** Real processes over TCP, with real files. */
describe('three servers under writes', { timeout: 120_000 }, () => {
  let servers: Servers

  beforeEach(async () => {
    servers = await Servers.create(['d', 'e', 'f'])
  })
  afterEach(() => servers.close())

  test('are replaced by three others, with no failed write and no lost one', async () => {
    // So short a log that whoever joins is sent a snapshot.
    const args = ['--snapshot-entries', '300', '--snapshot-tail', '1']
    servers.startAll(args)
    await servers.leader()
    const known = new Set([...servers.running.values()].map(({ http }) => http))
    const clients = [1, 2, 3, 4].map((n) => new Client(`client${n}`, known))
    const written = (): Written[] => clients.flatMap((client) => client.written)
    const failures = (): string[] => clients.flatMap((client) => client.failures)
    /** Until every client has written so many more, and so has heard of what was done before. */
    const progress = (count: number) => {
      const wanted = clients.map((client) => client.written.length + count)
      return eventually('writes', () =>
        clients.every((client, i) => client.written.length >= wanted[i]!) ? true : undefined,
      )
    }
    await progress(100)

    for (const [old, young] of ['ad', 'be', 'cf'].map((pair) => [...pair] as [string, string])) {
      const leaving = servers.running.get(old)!
      const joined = servers.start(young, { args, contact: leaving.http })
      await eventually(`${young} to vote`, async () =>
        voters(await membersOf(joined)).includes(young) ? true : undefined,
      )
      known.add(joined.http)
      await progress(20)
      const { status, body } = await call(
        { method: 'DELETE', path: `/members/${old}` },
        { servers: [joined.http] },
      )
      expect(status, body.toString()).toBe(200)
      expect(await leaving.exited).toEqual({ code: 3, signal: null })
      expect(leaving.output()).toContain(`${old} is no member any more`)
      servers.running.delete(old)
      await progress(20)
      known.delete(leaving.http)
      await progress(20)
    }
    await Promise.all(clients.map((client) => client.stop()))

    expect(failures()).toEqual([])
    expect([...servers.running.keys()]).toEqual(['d', 'e', 'f'])
    for (const server of servers.running.values()) {
      expect(voters(await membersOf(server))).toBe('def')
      // It was sent a snapshot, and so never saw the first writes as such.
      expect((await fetch(`${server.http}/watch?from=1`)).status).toBe(410)
      await expectEverything(server, written())
    }
  })

  test('that joined start again from what is on disk, when nobody who founded the cluster is there', async () => {
    servers.startAll()
    await servers.leader()
    const contact = servers.running.get('a')!.http
    for (const id of ['d', 'e', 'f']) {
      const joined = servers.start(id, { contact })
      // It says so when the change is done: another one would be too early before.
      await eventually(`${id} to be in`, () =>
        joined.output().includes(`${id} is in the cluster`) ? true : undefined,
      )
    }
    const body = Buffer.from(JSON.stringify({ remove: ['a', 'b', 'c'] }))
    const removed = await call(
      { method: 'POST', path: '/members', body },
      { servers: [servers.running.get('d')!.http] },
    )
    expect(removed.status, removed.body.toString()).toBe(200)
    await Promise.all([...servers.running.keys()].map((id) => servers.stop(id, 'SIGKILL')))

    for (const id of ['d', 'e', 'f']) servers.start(id, { contact })
    const leader = await servers.leader()
    expect(voters(await membersOf(leader))).toBe('def')
    const written = await call(
      { method: 'PUT', path: '/kv/x', body: Buffer.from('x') },
      { servers: [...servers.running.values()].map(({ http }) => http) },
    )
    expect(written.status).toBe(200)
  })

  test('take nobody back who was removed while it was down: it stops and says so [F35]', async () => {
    servers.startAll()
    const contact = (await servers.leader()).http
    const joined = servers.start('d', { contact })
    await eventually('d to vote', async () =>
      voters(await membersOf(joined)).includes('d') ? true : undefined,
    )
    await eventually('d to know that it is in', () =>
      existsSync(join(joined.data, 'member')) ? true : undefined,
    )
    await servers.stop('d', 'SIGKILL')
    const ask = { method: 'DELETE', path: '/members/d' } as const
    expect((await call(ask, { servers: [contact] })).status).toBe(200)

    for (let i = 0; i < 2; i++) {
      const again = servers.start('d', { contact })
      expect(await again.exited).toEqual({ code: 3, signal: null })
      expect(again.output()).toContain('d is no member any more')
    }
    expect(voters(await membersOf(servers.running.get('a')!))).toBe('abc')
  })

  test('take one back under its name that was killed before it was in [F7]', async () => {
    servers.startAll()
    const contact = (await servers.leader()).http
    // Whoever is to vote listens first, and that is as far as this one comes.
    const joined = servers.start('d', { contact, args: ['--learner'] })
    await eventually('d to listen', () =>
      joined.output().includes('d is in the cluster') ? true : undefined,
    )
    await servers.stop('d', 'SIGKILL')
    rmSync(join(joined.data, 'member'), { force: true })
    // The leader that was about to take it in is no more, and the next one has not heard of it.
    const ask = { method: 'DELETE', path: '/members/d' } as const
    expect((await call(ask, { servers: [contact] })).status).toBe(200)
    expect(voters(await membersOf(servers.running.get('a')!))).toBe('abc')

    const again = servers.start('d', { contact })
    await eventually('d to be in', () =>
      again.output().includes('d is in the cluster') ? true : undefined,
    )
    expect(voters(await membersOf(again))).toBe('abcd')
  })

  test('take no server in whose disk was lost: it may have promised something [F23]', async () => {
    servers.startAll()
    await servers.leader()
    const contact = servers.running.get('a')!.http
    await servers.stop('c', 'SIGKILL')
    const wiped = servers.start('c', { contact, data: `${servers.data}/empty` })
    expect(await wiped.exited).toEqual({ code: 1, signal: null })
    expect(wiped.output()).toContain('join under another id')
  })
})
