import { readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { call } from '../../kv/client.ts'
import type { Listed } from '../../kv/memberList.ts'
import { eventually, rxraft, Servers, statusOf, type Server } from './servers.ts'

const NEW = ['--cluster', 'after'] as const

async function put(servers: readonly Server[], key: string, value: string): Promise<number> {
  const ask = { method: 'PUT', path: `/kv/${key}`, body: Buffer.from(value) } as const
  const { status, body } = await call(ask, { servers: servers.map(({ http }) => http) })
  expect(status, body.toString()).toBe(200)
  return (JSON.parse(body.toString()) as { index: number }).index
}

const get = async ({ http }: Server, key: string): Promise<string> =>
  (await fetch(`${http}/kv/${key}?consistency=stale`)).text()

async function rolesIn({ http }: Server): Promise<string[]> {
  const response = await fetch(`${http}/members`, { redirect: 'follow' })
  const { members = [] } = (await response.json()) as { members?: readonly Listed[] }
  return members.map(({ id, role }) => `${id}:${role}`)
}

const whenRoles = (server: Server, roles: readonly string[]) =>
  eventually(`${server.id} to have ${roles.join()}`, async () =>
    (await rolesIn(server).catch(() => [])).join() === roles.join() ? true : undefined,
  )

const whenApplied = (server: Server, index: number) =>
  eventually(`${server.id} to have applied ${index}`, async () =>
    ((await statusOf(server))?.appliedIndex ?? 0) >= index ? true : undefined,
  )

/** Real processes over TCP, with real files. */
describe('rxraft recover', { timeout: 120_000 }, () => {
  let servers: Servers

  beforeEach(async () => {
    servers = await Servers.create(['d', 'e'])
  })
  afterEach(() => servers.close())

  const directoryOf = (id: string): string => join(servers.data, id)

  test('has one server go on with everything it had, take others in, and talk to nobody of before [F25]', async () => {
    servers.startAll()
    await servers.leader()
    const all = [...servers.running.values()]
    const last = await Promise.all(Array.from({ length: 50 }, (_, i) => put(all, `k${i}`, `v${i}`)))
    for (const server of all) await whenApplied(server, Math.max(...last))
    for (const id of 'abc') await servers.stop(id, 'SIGKILL')
    // The disks of b and c are gone; somebody will find the one of b again.
    renameSync(directoryOf('b'), directoryOf('b.found'))
    rmSync(directoryOf('c'), { recursive: true })

    const order = ['recover', '--data', directoryOf('a'), '--unsafe-new-cluster', 'after']
    const told = await rxraft(...order, '--member', servers.memberOf('a'))
    expect(told.code, told.output).toBe(0)
    expect(told.output).toContain('What may be lost')
    expect(told.output).toContain('Nothing was changed')
    expect(readdirSync(directoryOf('a'))).not.toContain('lost-cluster')

    const done = await rxraft(...order, '--member', servers.memberOf('a'), '--yes')
    expect(done.code, done.output).toBe(0)
    expect(done.output).toContain('a alone is cluster "after"')

    const mistaken = servers.start('a')
    expect(await mistaken.exited).toMatchObject({ code: 1 })
    expect(mistaken.output()).toContain('belongs to cluster "after"')

    const a = servers.start('a', { args: NEW, founders: ['a'] })
    const { term } = (await statusOf(await servers.leader()))!
    expect(term).toBeGreaterThan(1_000_000)
    for (let i = 0; i < 50; i++) expect(await get(a, `k${i}`)).toBe(`v${i}`)
    await put([a], 'after', 'all')

    const d = servers.start('d', { args: NEW, contact: a.http })
    await whenRoles(a, ['a:voter', 'd:voter'])
    const e = servers.start('e', { args: NEW, contact: a.http })
    await whenRoles(a, ['a:voter', 'd:voter', 'e:voter'])
    await whenApplied(e, await put([a, d, e], 'with', 'others'))
    expect([await get(e, 'k7'), await get(e, 'after')]).toEqual(['v7', 'all'])

    // An old one on its old disk says what it is of, and gets no answer; as one of the new it does not start.
    const old = servers.start('b', { data: directoryOf('b.found') })
    await eventually('the old one to be refused', () =>
      old.output().includes('refused') ? true : undefined,
    )
    expect(await rolesIn(a)).toEqual(['a:voter', 'd:voter', 'e:voter'])
    await servers.stop('b', 'SIGKILL')
    const posing = servers.start('b', {
      ...{ data: directoryOf('b.found'), args: NEW, contact: a.http },
    })
    expect(await posing.exited).toMatchObject({ code: 1 })
    expect(posing.output()).toContain('belongs to cluster "rxraft"')
    servers.running.delete('b')
    await put([a, d, e], 'still', 'here')
  })
})
