import { firstValueFrom, lastValueFrom, toArray } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'
import { parsePlace } from '../../kv/addresses.ts'
import { join, lookAround, type Joining } from '../../kv/join.ts'
import { cluster, type Cluster } from './cluster.ts'
import { eventually, stopAll } from './support.ts'

afterEach(stopAll)

const joining = (
  it: Cluster,
  id: string,
  contact: string,
  as: Joining['as'] = 'voters',
): Joining => ({
  ...{ id, contact, as },
  ...parsePlace(it.places[id]!),
})

/** Joins, and tells what was said on the way. */
const joined = (it: Cluster, how: Joining): Promise<string[]> =>
  lastValueFrom(join(it.server(how.id).node, how).pipe(toArray()))

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
    await lastValueFrom(join(known, joining(it, 'b', url)))
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
