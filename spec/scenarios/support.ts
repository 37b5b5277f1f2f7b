import { distinctUntilChanged, map, type Observable } from 'rxjs'
import type { TestScheduler } from 'rxjs/testing'
import { latency } from '../../adapters/transport/memory.ts'
import type { NodeId } from '../../lib/types.ts'
import type { Machine } from '../../operators/machine.ts'
import { cluster, type Cluster, type ClusterOptions } from '../../testing/index.ts'

/** Writes are remembered in their order; whoever asks sees them all. */
export const journal: Machine<string, string, string, 'all', string> = {
  initial: '',
  apply: (written, word) => [written + word, written + word],
  query: (written) => written,
}

export type Journal = Cluster<string, string, 'all', string>

type Options = Partial<ClusterOptions<string, string, string, 'all', string>>

/** How long a server of a picture waits for a silent leader before it campaigns, in ms. */
const patience: Readonly<Record<NodeId, number>> = { a: 6, b: 8, c: 11 }

/**
 * Three servers that are 1 ms apart, so that a picture has a column for whatever happens: `a` campaigns
 * after 6 ms of silence, `b` after 8, `c` after 11, and a leader's pulse goes out every 3.
 */
export const three = (scheduler: TestScheduler, options: Options = {}): Journal =>
  cluster({
    ids: ['a', 'b', 'c'],
    machine: journal,
    electionTimeout: [6, 12],
    heartbeat: 3,
    random: (id) => () => (patience[id]! - 6) / 6,
    link: () => latency(1, scheduler),
    scheduler,
    ...options,
  })

/** The servers' names as marbles; `n` is for nobody. */
export const names = { n: undefined, a: 'a', b: 'b', c: 'c' }

/** The servers that lead, as marbles. */
export const sets = { n: [], a: ['a'], b: ['b'], c: ['c'] }

/** The words that a server applies, in all its lives. */
export const appliedBy = (servers: Journal, id: NodeId): Observable<string> =>
  servers.watch(id, (node) => node.commits$).pipe(map(({ command }) => command))

/** The terms that a server is in. */
export const termsOf = (servers: Journal, id: NodeId): Observable<number> =>
  servers
    .watch(id, (node) => node.status$)
    .pipe(
      map(({ term }) => term),
      distinctUntilChanged(),
    )

/** Proposes words to one server as they come, and lets each come to what it comes to. */
export const write = (servers: Journal, id: NodeId, word$: Observable<string>): void => {
  word$.subscribe((word) => servers.node(id).submit(word, silent))
}

const silent = { applied: () => undefined, failed: () => undefined }
