import { ConfigError } from '../../lib/errors.ts'

/** What a client asks: the first byte of each item that it sends. */
export const ASK = { session: 1, propose: 2, query: 3, commits: 4, cancel: 5, watch: 6 } as const

/** What a server tells: the first byte of each item that it sends. */
export const TELL = {
  ...{ session: 1, applied: 2, answer: 3, told: 4, failed: 5, leader: 6, reached: 7, part: 8 },
} as const

/** Session, term and the lowest number that may be asked for again: three integers before what a client asks. */
export const ASK_HEAD_BYTES = 24

/** How consistent an answer is to be. */
export const CONSISTENCY = { linearizable: 0, stale: 1, within: 2, atLeast: 3 } as const

/**
 * Under which name the clients' port belongs to a cluster: what is said there is never taken for a peer's. Throws
 * `ConfigError` for what is no cluster's name.
 */
export function clientsOf(cluster: string): string {
  if (typeof cluster === 'string' && cluster !== '') return `${cluster}/clients`
  throw new ConfigError('cluster', cluster, "the cluster's name, such as 'accounts'")
}

/** The name of every server to its clients, who know its address and not its id. */
export const SERVICE = 'service'
