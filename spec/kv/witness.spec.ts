import { readdirSync, readFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NEVER, type Subscription } from 'rxjs'
import { memory } from 'rxraft/storage/memory'
import { afterEach, describe, expect, it } from 'vitest'
import { parseAddress, parseMember, type Member } from '../../kv/addresses.ts'
import { serve } from '../../kv/serve.ts'
import { freePorts } from '../../bench/harness/ports.ts'
import { cluster, type Cluster } from './cluster.ts'
import { aText, eventually, start, stopAll } from './support.ts'

afterEach(stopAll)

const change = async (it: Cluster, plan: object) => {
  const { ask } = await it.leader()
  return ask('/members', { method: 'POST', body: JSON.stringify(plan) })
}

/** Two servers, and a witness that came later. */
async function withWitness(others = 'w'): Promise<Cluster> {
  const it = await cluster('ab', others)
  const reply = await change(it, { witnesses: ['w'], addresses: { w: it.places['w'] } })
  expect(reply.status).toBe(200)
  return it
}

describe('a witness', () => {
  it('is shown as one', async () => {
    const it = await withWitness()
    const { json } = await (await it.leader()).ask('/members')
    expect(json['members']).toMatchObject([
      { role: 'voter' },
      { role: 'voter' },
      { role: 'witness' },
    ])
    const status = await it.server('w').ask('/status')
    expect(status).toMatchObject({ status: 200, json: { id: 'w', role: 'follower' } })
    expect(status.json['members']).toEqual(json['members'])
  })

  it('sends to the leader whoever wants data', async () => {
    const it = await withWitness()
    const leader = await it.leader()
    const paths = ['/kv/x', '/kv/x?consistency=stale', '/kv', '/watch', '/members']
    for (const path of paths) {
      expect(await it.server('w').ask(path)).toMatchObject({
        ...{ status: 307, headers: { location: leader.url + path } },
        json: { error: 'not-leader', leader: leader.node.id },
      })
    }
    expect((await it.server('w').put('x', 'y')).status).toBe(307)
  })

  it('says that it has none when it knows no leader', async () => {
    const members = ['a', 'b', 'w']
    const adapters = { transport: () => NEVER, storage: memory() }
    const it = await start({ id: 'w', members, witnesses: ['w'], ...adapters })
    expect(await it.ask('/kv/x')).toMatchObject({
      ...{ status: 503, headers: { 'retry-after': '1' } },
      json: { error: 'no-state', outcome: 'none', message: aText },
    })
  })

  it.each([
    ['promoted', 'witness', { voters: ['w'] }],
    ['made a learner', 'witness', { learners: ['w'] }],
    ['what a voter becomes', 'witness', { witnesses: ['b'] }],
  ])('is not %s', async (_what, reason, plan) => {
    expect(await change(await withWitness(), plan)).toMatchObject({
      ...{ status: 409, json: { error: 'change-refused', reason, outcome: 'none' } },
    })
  })

  it('is not one of two, where they would be a majority', async () => {
    const it = await withWitness('wv')
    const follower = (await it.leader()).node.id === 'a' ? 'b' : 'a'
    const addresses = { v: it.places['v'] }
    const plan = { witnesses: ['v'], remove: [follower], addresses }
    expect(await change(it, plan)).toMatchObject({ status: 409, json: { reason: 'full' } })
  })

  it('inherits no leadership from a leader that is removed', async () => {
    const it = await withWitness()
    const { id } = (await it.leader()).node
    const other = id === 'a' ? 'b' : 'a'
    const reply = await it.server(id).ask(`/members/${id}`, { method: 'DELETE' })
    expect(reply).toMatchObject({ status: 307, json: { leader: other } })
  })
})

/** Real files and real sockets, in this process. */
class Servers {
  readonly data = mkdtempSync(join(tmpdir(), 'rxraft-witness-'))
  readonly #running = new Map<string, Subscription>()

  constructor(readonly members: readonly Member[]) {}

  start(id: string): void {
    const { peer, http } = this.members.find((member) => member.id === id)!
    const times = { electionTimeout: [100, 200], heartbeat: 20 } as const
    const serving$ = serve({
      ...{ id, cluster: 'test', data: join(this.data, id), listen: peer, ...times },
      ...{ http: parseAddress(http.replace('http://', '')), members: this.members },
      ...{ maxValueBytes: 1024, snapshotEntries: 40, snapshotTailBytes: 0 },
    })
    this.#running.set(id, serving$.subscribe())
  }

  stop(id: string): void {
    this.#running.get(id)?.unsubscribe()
    this.#running.delete(id)
  }

  /** The answer of a server, or of the one to which it sends. */
  async ask(id: string, path: string, put?: string): Promise<string | undefined> {
    const { http } = this.members.find((member) => member.id === id)!
    try {
      const init = put === undefined ? {} : { method: 'PUT', body: put }
      const response = await fetch(http + path, init)
      return response.ok ? await response.text() : undefined
    } catch {
      return undefined
    }
  }

  /** All that is on the disk of a server. */
  bytesOf(id: string): string {
    const directory = join(this.data, id)
    const files = readdirSync(directory).filter((name) => /\.(log|snap)$/.test(name))
    return files.map((name) => readFileSync(join(directory, name), 'latin1')).join('')
  }

  end(): void {
    for (const { id } of this.members) this.stop(id)
    rmSync(this.data, { recursive: true, force: true })
  }
}

describe('two servers and a witness, with files and sockets', { timeout: 60_000 }, () => {
  let servers: Servers | undefined
  afterEach(() => servers?.end())

  it('go on without one of the two; the witness has no word of it on its disk', async () => {
    const ports = await freePorts(6)
    const members = ['a', 'b', 'w'].map((id, i) =>
      parseMember(
        `${id}=127.0.0.1:${ports[2 * i]},http://127.0.0.1:${ports[2 * i + 1]}` +
          (id === 'w' ? ',witness' : ''),
      ),
    )
    const it = (servers = new Servers(members))
    for (const id of 'abw') it.start(id)
    const put = (id: string, n: number) =>
      eventually(() => it.ask(id, `/kv/key${n}`, `secret ${n}`))
    for (let n = 0; n < 60; n++) await put('a', n)
    it.stop('b')
    await put('a', 60)
    it.stop('w')
    it.start('w')
    await put('w', 61)
    it.start('b')
    expect(await eventually(() => it.ask('b', '/kv/key61'))).toBe('secret 61')
    it.stop('a')
    await put('w', 62)
    expect(await eventually(() => it.ask('w', '/kv/key60'))).toBe('secret 60')
    expect(it.bytesOf('b')).toContain('secret')
    expect(it.bytesOf('w')).not.toContain('secret')
  })
})
