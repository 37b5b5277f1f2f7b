import type { Observable } from 'rxjs'
import { ConfigError } from '../../lib/errors.ts'
import { Slab } from '../../lib/slab.ts'
import type { Connection, Wire } from '../transport/tcp/connection.ts'
import { converse } from '../transport/tcp/handshake.ts'
import type { Party } from './party.ts'
import { SLAB_BYTES } from './sheaf.ts'

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

/** A conversation in which a server that is slow has refused nobody. */
export const meeting = (
  wire: Wire,
  party: Party,
  talk: (connection: Connection) => Observable<Met>,
): Observable<Met> => converse(wire, party, talk, new Slab(SLAB_BYTES), 'peer-unreachable')

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
