import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { get, put } from './clients.ts'
import { eventually, rxraft, Servers, statusOf, type Server } from './servers.ts'

const KEYS = Array.from({ length: 20 }, (_, i) => `key${i}`)

async function write(server: Server, value: string): Promise<number> {
  let last = 0
  for (const key of KEYS) last = (await put(server, key, value))!.index
  return last
}

const whenApplied = (server: Server, index: number) =>
  eventually(`${server.id} to have applied ${index}`, async () =>
    ((await statusOf(server))?.appliedIndex ?? 0) >= index ? true : undefined,
  )

/** Real processes over TCP, with real files. */
describe('a server of three whose disk is not what it was', { timeout: 60_000 }, () => {
  let servers: Servers

  beforeEach(async () => {
    servers = await Servers.create(['d'])
  })
  afterEach(() => servers.close())

  const directoryOf = (id: string): string => join(servers.data, id)

  /** The leader, and a follower that is down, which had everything; what it had is a copy of some time before. */
  async function founded(): Promise<{ leader: Server; id: string; copy: string }> {
    servers.startAll()
    const leader = await servers.leader()
    const [id, other] = servers.ids.filter((it) => it !== leader.id) as [string, string]
    const first = await write(leader, 'first')
    await whenApplied(servers.running.get(id)!, first)
    await servers.stop(id, 'SIGKILL')
    const copy = `${directoryOf(id)}.old`
    // A lock is a socket, which belongs to whoever runs.
    const filter = (path: string): boolean => !path.endsWith('/lock')
    cpSync(directoryOf(id), copy, { recursive: true, filter })

    await whenApplied(servers.start(id), first)
    // What is committed without the other, it has acknowledged.
    await servers.stop(other, 'SIGKILL')
    const last = await write(leader, 'second')
    await whenApplied(servers.start(other), last)
    await servers.stop(id, 'SIGKILL')
    return { leader, id, copy }
  }

  /** It stops and says why, as often as it is started, and the others go on. */
  async function expectRefusal(leader: Server, id: string): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const lost = servers.start(id)
      expect(await lost.exited).toEqual({ code: 1, signal: null })
      expect(lost.output()).toContain(`rxraft: disk-lost: the disk of ${id} has not what ${id}`)
      expect(lost.output()).toContain(`Remove ${id} from the members, and add a server`)
      expect(await put(leader, 'meanwhile', `${i}`)).toBeDefined()
    }
    servers.running.delete(id)
  }

  /** What it was told to do, on the command line. */
  async function expectRemedy(leader: Server, id: string): Promise<void> {
    const removed = await rxraft('members', 'remove', id, '--servers', leader.http)
    expect(removed).toMatchObject({ code: 0 })
    const d = servers.start('d', { contact: leader.http })
    await eventually('d to be in', () =>
      d.output().includes('d is in the cluster') ? true : undefined,
    )
    await whenApplied(d, (await put(leader, 'at', 'last'))!.index)
    for (const key of KEYS) expect(await get(d, key, '?consistency=stale')).toBe('second')
    const listed = await rxraft('members', 'list', '--json', '--servers', d.http)
    const { members } = JSON.parse(listed.output) as { members: { id: string; role: string }[] }
    const others = [...servers.ids, 'd'].filter((member) => member !== id)
    expect(members.map((member) => `${member.id}:${member.role}`)).toEqual(
      others.map((member) => `${member}:voter`),
    )
  }

  test('stops where its directory was emptied, and another takes its place [F23]', async () => {
    const { leader, id } = await founded()
    rmSync(directoryOf(id), { recursive: true })
    await expectRefusal(leader, id)
    await expectRemedy(leader, id)
  })

  test('does not even begin on an empty directory, when it is told that the cluster is there [F23]', async () => {
    const { id } = await founded()
    for (const other of servers.running.keys()) await servers.stop(other, 'SIGKILL')
    rmSync(directoryOf(id), { recursive: true })
    const args = ['--existing']
    const lost = servers.start(id, { args })
    expect(await lost.exited).toEqual({ code: 1, signal: null })
    expect(lost.output()).toContain(`${directoryOf(id)} is empty`)
    expect(lost.output()).toContain(`remove ${id} from the members, and join under another id`)
    servers.running.delete(id)

    for (const other of servers.ids) if (other !== id) servers.start(other, { args })
    await expectRemedy(await servers.leader(), id)
  })

  test('stops on an old copy of its directory, and another takes its place [F24]', async () => {
    const { leader, id, copy } = await founded()
    rmSync(directoryOf(id), { recursive: true })
    cpSync(copy, directoryOf(id), { recursive: true })
    await expectRefusal(leader, id)
    await expectRemedy(leader, id)
  })
})
