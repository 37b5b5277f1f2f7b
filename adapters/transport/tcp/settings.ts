import { randomUUID } from 'node:crypto'
import type { SchedulerLike } from 'rxjs'
import { ConfigError } from '../../../lib/errors.ts'
import type { NodeId } from '../../../lib/types.ts'
import { parseAddress, type Address } from './address.ts'
import { bounds, bytesWithin, type Bounds } from './bounds.ts'
import { certificates, type Certificates } from './certificates.ts'
import { isText } from './hello.ts'
import { identityUri, isName, URI_BYTES } from './identity.ts'
import type { Security } from './security.ts'
import { sharedSecret } from './sharedSecret.ts'
import { checkCertificates, reach, securityOf } from './trust.ts'

/** Where the servers of a cluster are, and how they trust each other. */
export interface TcpOptions {
  /** This server's name. */
  readonly id: NodeId
  /** The cluster's name, the same on every server: servers of another cluster are refused. */
  readonly cluster: string
  /** Where to listen, as `HOST:PORT`; `[::1]:7000` for IPv6; port 0 for any that is free. */
  readonly listen: string
  /**
   * The addresses of other servers that are known in advance, none (`{}`) if there are none. This server's
   * own may be among them and is not used. An address that comes with a message, out of the replicated
   * configuration, takes the place of the one here, or adds a server.
   */
  readonly peers: Readonly<Record<NodeId, string>>
  /**
   * Servers that `peers` does not name. `admit`: whoever proves to be of this cluster is listened to, and
   * whoever a message has an address for is dialled; at most 64, and none that was not connected, nor
   * sent anything, for ten idle timeouts. `refuse`: nobody else is spoken with, so that a server can be
   * locked out whose certificate is still valid; a cluster then cannot grow without restarts. Default: `admit`.
   */
  readonly strangers?: 'admit' | 'refuse'
  /**
   * A secret of at least 16 bytes that all servers share and nobody else knows: TLS 1.3 with keys derived
   * from it. It must be random (32 bytes are right): a password can be guessed from one recorded handshake.
   */
  readonly secret?: string | Uint8Array
  /** Or TLS 1.3 in which every server shows a certificate with the URI `raft://CLUSTER/ID`. */
  readonly tls?: Certificates
  /**
   * Allows addresses beyond this machine with neither `secret` nor `tls`: whoever reaches a port can
   * then read everything, and pose as any server. Default: false.
   */
  readonly insecureTrustNetwork?: boolean
  /** Longest frame, in bytes, 64 KiB to 1 GiB; must hold a whole batch of entries. Default: 128 MiB. */
  readonly maxFrameBytes?: number
  /**
   * Bytes that wait for one slow peer before its oldest messages are dropped, 64 KiB to 1 GiB; the newest
   * message always stays. Of what waits for an absent peer, 64 KiB are kept. Default: 64 MiB.
   */
  readonly maxQueueBytes?: number
  /** Milliseconds to connect, TLS included. Default: 2,000. */
  readonly connectTimeout?: number
  /** Milliseconds for a stranger to introduce itself. Default: 1,000. */
  readonly helloTimeout?: number
  /** Milliseconds of silence after which a connection is dead; a quarter of it brings a ping. Default: 2,000. */
  readonly idleTimeout?: number
  /** Shortest and longest pause between two dials, in ms, doubling from one to the other. Default: [50, 2,000]. */
  readonly backoff?: readonly [min: number, max: number]
  /** Where chance comes from: numbers from 0 to 1, 1 excluded. Default: the system's. */
  readonly random?: () => number
  /** Tells this run of the server from others with its id. Default: a new UUID for each subscription. */
  readonly incarnation?: string
  /** Runs all pauses and deadlines of the protocol. Default: `asyncScheduler`. */
  readonly scheduler?: SchedulerLike
}

/** The same with every default filled in, and checked. */
export interface Settings extends Bounds {
  readonly id: NodeId
  readonly cluster: string
  readonly listen: Address
  readonly peers: ReadonlyMap<NodeId, Address>
  readonly strangers: 'admit' | 'refuse'
  /** Reads an address that is learnt later. Throws `ConfigError` for one that must not be dialled. */
  readonly locate: (text: string) => Address
  readonly security: Security
  readonly maxQueueBytes: number
  readonly newIncarnation: () => string
}

/** Fills in the defaults. Throws `ConfigError` for what cannot be. */
export function settings(options: TcpOptions): Settings {
  const { id, cluster, incarnation, maxQueueBytes = 64 * 1024 * 1024 } = options
  checkNames(id, cluster, incarnation)
  const limits = bounds(options)
  const listen = parseAddress('listen', options.listen, 0)
  const peers = parsePeers(options)
  const checkReach = reach(options)
  checkReach('listen', options.listen, [listen])
  checkReach('peers', options.peers, [...peers.values()])
  return {
    ...limits,
    id,
    cluster,
    listen,
    peers,
    strangers: checkStrangers(options.strangers ?? 'admit'),
    locate: (text) => {
      const address = parseAddress('address', text, 1)
      checkReach('address', text, [address])
      return address
    },
    security: securityOf(
      options,
      (secret) => sharedSecret({ secret, id, cluster }),
      (tls) =>
        certificates(checkCertificates(tls, cluster, id), {
          ...{ cluster, who: 'a server of this cluster' },
        }),
    ),
    maxQueueBytes: bytesWithin('maxQueueBytes', maxQueueBytes),
    newIncarnation: incarnation === undefined ? randomUUID : () => incarnation,
  }
}

function checkNames(id: string, cluster: string, incarnation: string | undefined): void {
  const isGood = (name: unknown): boolean => typeof name === 'string' && isText(name)
  if (!isGood(id)) throw new ConfigError('id', id, "a name of 1 to 255 bytes, such as 'a'")
  if (!isGood(cluster)) {
    throw new ConfigError('cluster', cluster, "a name of 1 to 255 bytes, such as 'accounts'")
  }
  if (incarnation !== undefined && !isGood(incarnation)) {
    throw new ConfigError('incarnation', incarnation, 'a text of 1 to 255 bytes')
  }
  checkUri('id', cluster, id)
}

function checkUri(option: string, cluster: string, id: string): void {
  if (isName(id, cluster)) return
  throw new ConfigError(
    option,
    id,
    `so short that ${identityUri('CLUSTER', 'ID')} has at most ${URI_BYTES} characters`,
  )
}

function parsePeers({ id, cluster, peers }: TcpOptions): Map<NodeId, Address> {
  if (typeof peers !== 'object' || peers === null || Array.isArray(peers)) {
    throw new ConfigError('peers', peers, "an object, such as { b: '10.0.0.2:7000' }")
  }
  const parsed = new Map<NodeId, Address>()
  for (const [peer, address] of Object.entries(peers)) {
    if (!isText(peer)) throw new ConfigError('peers', peer, 'names of 1 to 255 bytes')
    checkUri('peers', cluster, peer)
    const where = parseAddress(`peers.${peer}`, address, 1)
    if (peer !== id) parsed.set(peer, where)
  }
  return parsed
}

function checkStrangers(strangers: 'admit' | 'refuse'): 'admit' | 'refuse' {
  if (strangers === 'admit' || strangers === 'refuse') return strangers
  throw new ConfigError('strangers', strangers, "'admit' or 'refuse'")
}
