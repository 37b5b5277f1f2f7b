import { delay, Subject, take, takeUntil, timer, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { latency } from '../../adapters/transport/memory.ts'
import type { NodeId } from '../../lib/types.ts'
import { cluster, type Cluster } from '../../testing/index.ts'

const ids = ['a', 'b', 'c']

/** Remembers every command with its index, so that one applied twice or not at all shows. */
const journal = {
  initial: '',
  apply: (words: string, word: string, { index }: { readonly index: number }) =>
    [`${words}${index}:${word} `, undefined] as const,
  query: (words: string, _: 'all') => words,
}

type Journal = Cluster<string, undefined, 'all', string>

/** Words come all the time, and `victim` crashes while it applies its nth; it starts again twice. */
function crashAt(victim: NodeId, nth: number): Journal {
  const scheduler = new VirtualTimeScheduler()
  const crash$ = new Subject<NodeId>()
  const servers: Journal = cluster({
    ids,
    machine: journal,
    electionTimeout: [10, 20],
    heartbeat: 4,
    link: () => latency(1, scheduler),
    crash$,
    restart$: crash$.pipe(delay(15, scheduler)),
    scheduler,
  })
  let seen = 0
  servers
    .watch(victim, (node) => node.commits$)
    .pipe(take(2 * nth))
    .subscribe(() => {
      if (++seen % nth === 0) crash$.next(victim)
    })
  timer(20, 1, scheduler)
    .pipe(takeUntil(timer(150, scheduler)))
    .subscribe((i) => {
      for (const id of ids) servers.node(id).submit(`w${i}`, { applied: nothing, failed: nothing })
    })
  servers.connect(timer(250, scheduler))
  scheduler.flush()
  return servers
}

const nothing = (): void => undefined

/** What a server's machine holds, and what its log says that it should. */
function stateOf(servers: Journal, id: NodeId): { readonly is: string; readonly due: string } {
  let is = ''
  servers
    .node(id)
    .query('all', { consistency: 'stale' })
    .subscribe((words) => (is = words))
  const log = servers.node(id).history(1)
  return { is, due: log.map(({ index, command }) => `${index}:${command} `).join('') }
}

describe('a server that crashes while it applies', () => {
  it.each(ids.flatMap((id) => [1, 2, 3, 7, 20].map((nth) => [id, nth] as const)))(
    '%s, at its word %i, has applied every word once and in order when it is back [bug 31]',
    (victim, nth) => {
      const servers = crashAt(victim, nth)
      const states = ids.map((id) => stateOf(servers, id))
      for (const { is, due } of states) expect(is).toBe(due)
      expect(states[0]!.is.split(' ').length).toBeGreaterThan(60)
      expect(new Set(states.map(({ is }) => is)).size).toBe(1)
    },
  )
})
