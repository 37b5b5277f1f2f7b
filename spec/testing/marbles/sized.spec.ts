import { filter, firstValueFrom, pipe, take, VirtualTimeScheduler, type Observable } from 'rxjs'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { latency } from '../../../adapters/transport/memory.ts'
import { ConfigError } from '../../../lib/errors.ts'
import type { Applied, Progress } from '../../../operators/engine/node.ts'
import { propose } from '../../../operators/propose.ts'
import { cluster } from '../../../testing/cluster.ts'
import { expectLeader } from '../../../testing/marbles/expectLeader.ts'
import { cuts, network } from '../../../testing/marbles/network.ts'
import { marbles } from '../../operators/support.ts'

const sum = {
  initial: 0,
  apply: (total: number, by: number) => [total + by, String(total + by)] as const,
  query: (total: number, _: 'total') => total,
}

describe('a cluster of so many servers', () => {
  it.each([1, 2, 3, 5, 9])('elects the first of %i, without being told anything', (size) => {
    marbles(({ hot }) => {
      // Alone, `a` needs nobody's answer, of which two elections take 2 ms each.
      const leads = size === 1 ? '------a---' : '-----------a--- 500ms -'
      const servers = cluster(size)
      expect(servers.ids).toEqual([...'abcdefghi'].slice(0, size))
      expectLeader(servers).toBe(leads)
      servers.connect(hot('--------------- 500ms -|'))
    })
  })

  it('goes on when the leader crashes', () => {
    marbles(({ hot }) => {
      const crash$ = hot('            ----------------a--------------------------')
      const end$ = hot('              -------------------------------------------|')
      const servers = cluster(3, { machine: sum, crash$ })
      expectLeader(servers, 'b').toBe('-----------a----------n---b----------------')
      servers.connect(end$)
    })
  })

  it('answers a command with the command, without a machine', () => {
    marbles(({ hot, expectObservable }) => {
      const command$ = hot('---x------')
      const results = '     ------(x|)'
      const servers = cluster(1)
      expectObservable(command$.pipe(propose(servers.node('a')), take(1))).toBe(results)
      servers.connect(hot(' ---------|'))
    })
  })

  it('shows in the clock of run() what it shows in a scheduler that it is given', () => {
    marbles(({ hot }, scheduler) => {
      const pictured$ = network('   -----------------(a|bc)-----------h--------')
      const partitions$ = hot('     -----------------p----------------h--------', {
        p: [['a']],
        h: undefined,
      })
      const end = '                 -------------------------------------------|'
      const leaderOfA = '           ----------a----------------n--------b------|'
      const leaderOfC = '           -----------a------------n--b---------------|'
      for (const servers of [
        cluster(3, { partitions$: pictured$ }),
        cluster(3, { partitions$ }),
        cluster(3, { partitions$, scheduler }),
        cluster({
          ids: ['a', 'b', 'c'],
          machine: sum,
          electionTimeout: [6, 12],
          heartbeat: 3,
          random: (id) => () => ({ a: 0, b: 1 / 3, c: 2 / 3 })[id]!,
          link: () => latency(1),
          partitions$,
        }),
      ]) {
        expectLeader(servers, 'a').toBe(leaderOfA)
        expectLeader(servers, 'c').toBe(leaderOfC)
        servers.connect(hot(end))
      }
    })
  })

  it('hears what a follower says, and says nothing, where a one-way cut is drawn', () => {
    marbles(({ hot }) => {
      const cuts$ = cuts('          ---------------(a>bc)---------------------')
      const leaderOfA = '           ----------a--------------n-b--------------'
      const leaderOfB = '           -----------a----------n---b---------------'
      const servers = cluster(3, { cuts$ })
      expectLeader(servers, 'a').toBe(leaderOfA)
      expectLeader(servers, 'b').toBe(leaderOfB)
      servers.connect(hot('         -----------------------------------------|'))
    })
  })

  it('leaves patience to chance where a seed is given', () => {
    const firsts = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => {
      const scheduler = new VirtualTimeScheduler(undefined, 100)
      const servers = cluster(3, { seed, scheduler })
      let first = ''
      servers.leaders$.subscribe(([leader]) => (first ||= leader ?? ''))
      const running = servers.connect()
      scheduler.flush()
      running.unsubscribe()
      return first
    })
    expect(new Set(firsts).size).toBeGreaterThan(1)
  })

  it('has the pace that it is given', () => {
    marbles(({ hot }) => {
      const leads = '     --------------------a---'
      const servers = cluster(1, { electionTimeout: [20, 40] })
      expectLeader(servers).toBe(leads)
      servers.connect(hot('------------------------|'))
    })
  })

  it('has the pace of a node in real time', async () => {
    const servers = cluster(1)
    const start = performance.now()
    const running = servers.connect()
    await firstValueFrom(servers.leaders$.pipe(filter((ids) => ids.length > 0)))
    expect(performance.now() - start).toBeGreaterThanOrEqual(150)
    running.unsubscribe()
  })

  it('is as any other in real time', async () => {
    const servers = cluster(3, { machine: sum, electionTimeout: [20, 40], heartbeat: 10 })
    const running = servers.connect()
    const leading$ = servers.leaders$.pipe(filter((ids) => ids.length > 0))
    const [leader] = await firstValueFrom(leading$)
    const done$ = servers
      .node(leader!)
      .propose(5)
      .pipe(filter(({ type }) => type === 'applied'))
    expect(await firstValueFrom(done$)).toMatchObject({ result: '5' })
    running.unsubscribe()
  })

  it('has the types of its machine, without being told', () => {
    const { propose, commits$ } = cluster(3, { machine: sum }).node('a')
    expectTypeOf(propose).parameter(0).toEqualTypeOf<number>()
    expectTypeOf(propose).returns.toEqualTypeOf<Observable<Progress<string>>>()
    expectTypeOf(commits$).toEqualTypeOf<Observable<Applied<number, string>>>()
    const inline = cluster(3, {
      machine: { initial: '', apply: (all: string, word: string) => [all + word, word.length] },
      link: () =>
        pipe(
          filter(({ message }) => message.type !== 'vote'),
          latency(1),
        ),
    })
    expectTypeOf(inline.node('a').propose).parameter(0).toEqualTypeOf<string>()
    expectTypeOf(cluster(3).node('a').propose).parameter(0).toEqualTypeOf<unknown>()
  })

  it.each([0, -1, 1.5, 27, NaN])('is refused when it is %d', (size) => {
    const refused = new ConfigError('size', size, 'a whole number from 1 to 26')
    expect(() => cluster(size)).toThrow(refused)
  })
})
