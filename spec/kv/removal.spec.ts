import { mkdirSync } from 'node:fs'
import { lastValueFrom, race, timer } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'
import { parsePlace } from '../../kv/addresses.ts'
import { join } from '../../kv/join.ts'
import { mark } from '../../kv/mark.ts'
import { lacks, removal, Removed, type Membership } from '../../kv/removal.ts'
import { temporaryDirectories } from '../adapters/storage/directories.ts'
import { cluster } from './cluster.ts'
import { alone, start, stopAll } from './support.ts'

afterEach(stopAll)

const temporary = temporaryDirectories()

const PAUSE = 20

const membership = (index: number, ids: string, committed = true): Membership => ({
  ...{ index, committed },
  members: [...ids].map((id) => ({ id, role: 'voter' })),
})

const member = (index: number) => ({
  id: 'c',
  members: {
    ...{ index, voters: ['a', 'b', 'c'], outgoing: [], learners: [], witnesses: [], addresses: {} },
  },
})

describe('a server that was removed', () => {
  it('finds that out, wherever it learns of it [F35]', async () => {
    const it = await cluster('abc')
    const { node } = await it.follower()
    const removed = lastValueFrom(removal(node, 'rxraft', [], PAUSE))
    const leader = await it.leader()
    expect((await leader.ask(`/members/${node.id}`, { method: 'DELETE' })).status).toBe(200)
    await expect(removed).rejects.toThrow(`${node.id} is no member any more`)
  })

  it('is not one that has a leader, or that nobody can tell of', async () => {
    const it = await cluster('ab', 'c')
    await it.leader()
    const all = ['a', 'c'].map((id) =>
      removal(it.server(id).node, 'rxraft', ['http://127.0.0.1:1'], PAUSE),
    )
    const over = lastValueFrom(race(...all, timer(20 * PAUSE)))
    expect(await over).toBe(0)
  })

  it('does not believe that of a server of another cluster', async () => {
    const it = await cluster('ab', 'c')
    const other = await it.leader()
    // Its own cluster has no leader that it hears, and that one has never heard of it.
    const lonely = await start({ ...alone(), id: 'c' })
    const asked = (name: string) => removal(lonely.node, name, [other.url], PAUSE)
    const over = lastValueFrom(race(asked('shop'), timer(20 * PAUSE)))
    expect(await over).toBe(0)
    await expect(lastValueFrom(asked('rxraft'))).rejects.toThrow(Removed)
  })

  it('does not ask to be taken in again: its directory shows that it was in', async () => {
    const it = await cluster('abc')
    const follower = await it.follower()
    const leader = await it.leader()
    const { id } = follower.node
    const directory = temporary()
    mkdirSync(directory, { recursive: true })
    await lastValueFrom(mark(follower.node, directory), { defaultValue: undefined })
    await leader.ask(`/members/${id}`, { method: 'DELETE' })
    await expect(lastValueFrom(removal(follower.node, 'rxraft', [], PAUSE))).rejects.toThrow(
      Removed,
    )
    const joining = {
      id,
      cluster: 'rxraft',
      contact: leader.url,
      as: 'learners',
      ...parsePlace(it.places[id]!),
    } as const
    const again = lastValueFrom(join(follower.node, joining, directory), {
      defaultValue: 'still in',
    })
    // What it knows may be no more than that it leaves; nobody takes it in for that.
    expect(await again.catch((error: unknown) => error)).toSatisfy(
      (end: unknown) => end === 'still in' || end instanceof Removed,
    )
    const { members } = (await leader.ask('/members')).json as unknown as Membership
    expect(members.map((it) => it.id)).not.toContain(id)
  })
})

describe('the word of another server', () => {
  it.each([
    ['that it is in', false, membership(9, 'abc')],
    ['that it is out', true, membership(9, 'ab')],
    ['that it is out, which is not committed', false, membership(9, 'ab', false)],
    ['from before it was taken in', false, membership(5, 'ab')],
  ])('%s', (_, expected, known) => expect(lacks(known, member(7))).toBe(expected))
})
