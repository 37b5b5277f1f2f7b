import { map, type Observable } from 'rxjs'
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
const patience: Readonly<Record<NodeId, number>> = { a: 10, b: 14, c: 19 }

/**
 * Three servers that are 2 ms apart, so that a picture has a column for whatever happens: `a` campaigns
 * after 10 ms of silence, `b` after 14, `c` after 19, and a leader's pulse goes out every 4.
 */
export const three = (scheduler: TestScheduler, options: Options = {}): Journal =>
  cluster({
    ids: ['a', 'b', 'c'],
    machine: journal,
    electionTimeout: [10, 20],
    heartbeat: 4,
    random: (id) => () => (patience[id]! - 10) / 10,
    link: () => latency(2, scheduler),
    scheduler,
    ...options,
  })

/** The servers' names as marbles; `n` is for nobody. */
export const names = { a: 'a', b: 'b', c: 'c', n: undefined }

/** Who leads, each set of servers as the name of a marble: `ab`, and `-` for nobody. */
export const leaders = ({ leaders$ }: Pick<Journal, 'leaders$'>): Observable<string> =>
  leaders$.pipe(map((ids) => ids.join('')))

/** Proposes words to one server as they come, and lets each come to what it comes to. */
export const write = (servers: Journal, id: NodeId, word$: Observable<string>): void => {
  word$.subscribe((word) => servers.node(id).submit(word, silent))
}

const silent = { applied: () => undefined, failed: () => undefined }
