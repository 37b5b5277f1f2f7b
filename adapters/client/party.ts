import { ConfigError } from '../../lib/errors.ts'
import { bounds, type Bounds } from '../transport/tcp/bounds.ts'
import { isText } from '../transport/tcp/hello.ts'
import { isName } from '../transport/tcp/identity.ts'
import type { TcpOptions } from '../transport/tcp/settings.ts'
import { clientsOf } from './codes.ts'
import { inHex } from './proof.ts'

/** What a client shows of itself when it connects, and what it expects. */
export interface Party extends Bounds, Pick<TcpOptions, 'secret' | 'tls' | 'insecureTrustNetwork'> {
  /** Its name, drawn for it. */
  readonly id: string
  /** The cluster's name. */
  readonly cluster: string
}

export type PartyOptions = Pick<TcpOptions, 'cluster' | 'secret' | 'tls' | 'insecureTrustNetwork'> &
  Partial<Bounds>

/** Fills in the defaults. Throws `ConfigError`. */
export function partyOf(options: PartyOptions): Party {
  const { cluster, secret, tls, insecureTrustNetwork } = options
  checkCluster(cluster)
  return {
    ...bounds(options),
    id: `client-${nonce()}`,
    cluster,
    ...(secret !== undefined && { secret }),
    ...(tls !== undefined && { tls }),
    ...(insecureTrustNetwork !== undefined && { insecureTrustNetwork }),
  }
}

/** Throws `ConfigError` for what cannot be the name of a cluster with clients. */
export function checkCluster(cluster: string): void {
  const longest = `client-${'0'.repeat(32)}`
  if (isText(clientsOf(cluster)) && isName(longest, clientsOf(cluster))) return
  throw new ConfigError('cluster', cluster, "a name of at most 180 bytes, such as 'accounts'")
}

/** A text that nobody else draws: 128 bits of chance. */
export const nonce = (): string => inHex(crypto.getRandomValues(new Uint8Array(16)))
