import type { Observable } from 'rxjs'
import { ConfigError } from '../../lib/errors.ts'
import type { Connection } from '../transport/tcp/connection.ts'

/** Where a server is, and how a connection with it comes about. */
export interface Way {
  /** The address. */
  readonly name: string
  /** How that is reached: what is learnt on a protected wire is not to be dialled on one that is not. */
  readonly kind: 'tcp' | 'ws' | 'wss'
  /** A connection on which the server has said who it is. Errors with `Failure`. */
  readonly meet: () => Observable<Met>
}

export interface Met {
  readonly connection: Connection
  /** The server's id. */
  readonly id: string
}

/** Reads an address; `undefined` when it is none of its kind. Throws `ConfigError` for one that must not be dialled. */
export type FindWay = (address: string) => Way | undefined

/** Ways to the servers that are given, and to others that these tell of. Throws `ConfigError`. */
export function locating(find: FindWay, servers: readonly string[]) {
  const located = (address: string): Way => {
    const way = find(address)
    if (way !== undefined) return way
    throw new ConfigError('servers', address, 'ws:// or wss:// in a browser, which has no TCP')
  }
  const ways = servers.map(located)
  const kinds = new Set(ways.map(({ kind }) => kind))
  return {
    servers: ways,
    /** Throws `ConfigError` also for an address of a kind that none of the given has. */
    locate: (address: string): Way => {
      const way = located(address)
      if (kinds.has(way.kind)) return way
      throw new ConfigError('servers', address, `one of the kind ${[...kinds].join(' or ')}`)
    },
  }
}
