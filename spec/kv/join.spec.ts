import { mkdirSync } from 'node:fs'
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'
import { parsePlace } from '../../kv/addresses.ts'
import { join, lookAround, type Joining } from '../../kv/join.ts'
import { mark, wasMember } from '../../kv/mark.ts'
import { Removed } from '../../kv/removal.ts'
import { temporaryDirectories } from '../adapters/storage/directories.ts'
import { cluster, type Cluster } from './cluster.ts'
import { glance } from '../../kv/service.ts'
import { eventually, stopAll } from './support.ts'

afterEach(stopAll)

const temporary = temporaryDirectories()

/** That of a server that has never been in its cluster. */
const UNMARKED = '/nowhere/at/all'

const joining = (
  it: Cluster,
  id: string,
  contact: string,
  as: Joining['as'] = 'voters',
): Joining => ({
  ...{ id, cluster: 'rxraft', contact, as },
  ...parsePlace(it.places[id]!),
})

/** Joins, and tells what was said on the way. */
const joined = (it: Cluster, how: Joining, directory = UNMARKED): Promise<string[]> =>
  lastValueFrom(join(it.server(how.id).node, how, directory).pipe(toArray()))

const rolesIn = async (it: Cluster): Promise<string[]> => {
  const { members } = (await (await it.leader()).ask('/members')).json
  return (members as { id: string; role: string }[]).map(({ id, role }) => `${id}:${role}`)
}

describe('a server that joins', () => {
  it('asks any server to be taken in, and is in when it votes', async () => {
    const it = await cluster('ab', 'c')
    const contact = (await it.follower()).url
    expect(await joined(it, joining(it, 'c', contact))).toEqual([
      `${contact} is asked to take c in`,
      'c is in the cluster',
    ])
    expect(await rolesIn(it)).toEqual(['a:voter', 'b:voter', 'c:voter'])
  })

  it('asks for nothing when it knows that it votes already', async () => {
    const it = await cluster('ab', 'c')
    await it.leader()
    const nobody = 'http://127.0.0.1:1'
    expect(await joined(it, joining(it, 'a', nobody))).toEqual([])
  })

  it('listens only when it wants no more, and can be given a vote later', async () => {
    const it = await cluster('a', 'b')
    const { url } = await it.leader()
    await joined(it, joining(it, 'b', url, 'learners'))
    expect(await rolesIn(it)).toEqual(['a:voter', 'b:learner'])
    const known = it.server('b').node
    await eventually(async () => (await it.server('b').ask('/status')).json['leader'] ?? undefined)
    expect(await joined(it, joining(it, 'b', url, 'learners'))).toEqual([])
    await lastValueFrom(join(known, joining(it, 'b', url), UNMARKED))
    expect(await rolesIn(it)).toEqual(['a:voter', 'b:voter'])
  })

  it('votes and keeps nothing when it wants that, and asks for nothing the next time', async () => {
    const it = await cluster('ab', 'c')
    const { url } = await it.leader()
    await joined(it, joining(it, 'c', url, 'witnesses'))
    expect(await rolesIn(it)).toEqual(['a:voter', 'b:voter', 'c:witness'])
    expect(await joined(it, joining(it, 'c', url, 'witnesses'))).toEqual([])
    const found$ = lookAround(joining(it, 'c', url, 'witnesses'), '/nowhere/at/all')
    await expect(firstValueFrom(found$)).rejects.toThrow('join under another id')
  })

  it('asks another one that it has heard of where its contact is gone', async () => {
    const it = await cluster('ab', 'c')
    const { url } = await it.follower()
    const how = joining(it, 'c', 'http://127.0.0.1:1')
    const told$ = join(it.server('c').node, how, UNMARKED, [url]).pipe(toArray())
    expect(await lastValueFrom(told$)).toContain('c is in the cluster')
    expect(await rolesIn(it)).toEqual(['a:voter', 'b:voter', 'c:voter'])
  })

  it('does not come into a cluster of another name', async () => {
    const it = await cluster('ab', 'c')
    const contact = (await it.follower()).url
    const strange = { ...joining(it, 'c', contact), cluster: 'shop' }
    const message = `${contact} is of cluster "rxraft", and this server is to be of "shop"`
    await expect(joined(it, strange)).rejects.toThrow(message)
    await expect(firstValueFrom(lookAround(strange, UNMARKED))).rejects.toThrow(message)
    expect(await rolesIn(it)).toEqual(['a:voter', 'b:voter'])
  })

  it('goes on under its name when it was stopped before it was in, and not when it was removed [F35]', async () => {
    const it = await cluster('ab', 'c')
    const leader = await it.leader()
    const { node } = it.server('c')
    const directory = temporary()
    mkdirSync(directory, { recursive: true })
    const marked = lastValueFrom(mark(node, directory), { defaultValue: undefined })
    expect(wasMember(directory)).toBe(false)
    const how = joining(it, 'c', leader.url)
    await joined(it, how, directory)
    await marked
    expect(wasMember(directory)).toBe(true)

    expect((await leader.ask('/members/c', { method: 'DELETE' })).status).toBe(200)
    await eventually(() => (glance(node).members.voters.includes('c') ? undefined : true))
    await expect(joined(it, how, directory)).rejects.toThrow(Removed)
    expect(await rolesIn(it)).toEqual(['a:voter', 'b:voter'])
    // One that has something of the log, and never got so far as to be in.
    expect(glance(node).lastIndex).toBeGreaterThan(0)
    expect(await joined(it, how)).toContain('c is in the cluster')
    expect(await rolesIn(it)).toEqual(['a:voter', 'b:voter', 'c:voter'])
  })

  it('asks again when others are before it', async () => {
    const it = await cluster('a', 'bc')
    const { url } = await it.leader()
    await Promise.all(['b', 'c'].map((id) => joined(it, joining(it, id, url))))
    expect(await rolesIn(it)).toEqual(['a:voter', 'b:voter', 'c:voter'])
  })
})

describe('a server with a new disk', () => {
  const directory = '/nowhere/at/all'

  it('looks around for members', async () => {
    const it = await cluster('a', 'b')
    const { url } = await it.leader()
    const found = await firstValueFrom(lookAround(joining(it, 'b', url), directory))
    expect(found).toEqual([{ id: 'a', role: 'voter', ...parsePlace(it.places['a']!) }])
  })

  it('under the name of one that votes is refused, under that of a learner not [F23]', async () => {
    const it = await cluster('a', 'b')
    const { url } = await it.leader()
    const found$ = lookAround(joining(it, 'a', url), directory)
    await expect(firstValueFrom(found$)).rejects.toThrow('join under another id')
    await joined(it, joining(it, 'b', url, 'learners'))
    expect(await firstValueFrom(lookAround(joining(it, 'b', url), directory))).toHaveLength(2)
  })
})
