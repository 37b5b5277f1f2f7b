import fc from 'fast-check'
import { concatMap, map, pipe, take, timer, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { memory } from '../../adapters/storage/memory.ts'
import { latency } from '../../adapters/transport/memory.ts'
import type { DiskRequest } from '../../lib/storage.ts'
import type { Status } from '../../operators/engine/node.ts'
import { cluster, seeded } from '../../testing/index.ts'
import { logOf } from '../lib/bench/entries.ts'
import { append, heartbeat } from '../lib/bench/messages.ts'
import { follower, leader, messagesOf, proposal } from '../lib/bench/server.ts'

const appended = (match: number) => ({ type: 'appended', term: 1, match }) as const

describe('acknowledgements in any order', () => {
  it('lose no progress: what the last one said stays said [bug 49]', () => {
    const order = fc.shuffledSubarray([2, 3, 4, 5, 6], { minLength: 5 })
    fc.assert(
      fc.property(order, (matches) => {
        const server = leader({ voters: 'abc' })
        for (const match of [2, 3, 4, 5, 6]) server.take(proposal(match, 'x'))
        server.receive('b', appended(1))
        server.saveAll()
        matches.forEach((match, i) => {
          const { state } = server.receive('b', appended(match))
          const highest = Math.max(...matches.slice(0, i + 1))
          expect(server.progress('b')).toMatchObject({ match: highest, probing: false })
          expect(state.commitIndex).toBe(highest)
        })
        expect(server.progress('b')).toMatchObject({ match: 6, next: 7, inflight: [] })
      }),
    )
  })

  it('speak for everything before them, which makes room in the window [bug 49]', () => {
    const server = leader({ voters: 'abc' })
    for (const match of [2, 3, 4, 5, 6]) server.take(proposal(match, 'x'))
    server.receive('b', appended(1))
    for (const match of [7, 8, 9]) server.take(proposal(match, 'x'))
    expect(server.progress('b')?.inflight.length).toBeGreaterThan(2)
    server.receive('b', appended(8))
    expect(server.progress('b')?.inflight.map(({ last }) => last)).toEqual([9])
    server.receive('b', appended(9))
    expect(server.progress('b')).toMatchObject({ match: 9, inflight: [] })
  })

  it('of appends in any order: a follower ends with all of them, and refuses nothing for ever [bug 49]', () => {
    const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 })
    fc.assert(
      fc.property(order, (positions) => {
        const server = follower()
        const messages = positions.map((i) => append(1, [i, i === 0 ? 0 : 1], logOf([1], i + 1)))
        for (const message of [...messages, ...messages, ...messages, ...messages]) {
          server.receive('b', message)
        }
        server.saveAll()
        expect(server.state.log.lastIndex).toBe(4)
        expect(messagesOf(server.receive('b', heartbeat(1, 4)))).toHaveLength(1)
        expect(server.state.commitIndex).toBe(4)
      }),
    )
  })
})

/** Twenty words on disks and links of random speed, then nothing any more. */
function atRest(seed: number): readonly Status[] {
  const scheduler = new VirtualTimeScheduler()
  const random = seeded(seed)
  const some = (ms: number): number => Math.floor(random() * ms)
  const ids = ['a', 'b', 'c', 'd', 'e']
  const servers = cluster({
    ids,
    machine: { initial: 0, apply: (count: number, _: string) => [count + 1, count + 1] as const },
    electionTimeout: [40, 80],
    heartbeat: 10,
    link: () => latency(() => 1 + some(8), scheduler),
    storage: () =>
      pipe(
        concatMap((save: DiskRequest) => timer(some(12), scheduler).pipe(map(() => save))),
        memory(),
      ),
    scheduler,
    seed,
  })
  const last = new Map<string, Status>()
  for (const id of ids) {
    servers.watch(id, (node) => node.status$).subscribe((status) => last.set(id, status))
  }
  timer(300, 1, scheduler)
    .pipe(take(20))
    .subscribe((i) => {
      const leads = [...last.values()].find(({ role }) => role === 'leader')!
      servers.node(leads.id).submit(`w${i}`, { applied: nothing, failed: nothing })
    })
  servers.connect(timer(700, scheduler))
  scheduler.flush()
  return [...last.values()]
}

const nothing = (): void => undefined

describe('writes and messages that end in any order', () => {
  it.each(Array.from({ length: 12 }, (_, i) => i + 1))(
    'leave servers that are alike once nothing is written any more: seed %i [bug 49]',
    (seed) => {
      const statuses = atRest(seed)
      const alike = statuses.map(({ lastIndex, commitIndex, appliedIndex, term }) => [
        lastIndex,
        commitIndex,
        appliedIndex,
        term,
      ])
      expect(new Set(alike.map(String)).size, JSON.stringify(alike)).toBe(1)
      const [lastIndex, commitIndex] = alike[0]!
      expect(lastIndex).toBeGreaterThanOrEqual(21)
      expect(commitIndex).toBe(lastIndex)
    },
  )
})
