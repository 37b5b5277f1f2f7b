import { randomInt, randomUUID, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { asyncScheduler, type SchedulerLike } from 'rxjs'
import { ConfigError } from '../../../lib/errors.ts'
import type { NodeId } from '../../../lib/types.ts'
import { isLoopback, parseAddress, type Address } from './address.ts'
import { certificates, idIn, type Certificates } from './certificates.ts'
import { isText } from './hello.ts'
import { identityUri, isName, URI_BYTES } from './identity.ts'
import { plaintext } from './plaintext.ts'
import type { Security } from './security.ts'
import { sharedSecret } from './sharedSecret.ts'

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
export interface Settings {
  readonly id: NodeId
  readonly cluster: string
  readonly listen: Address
  readonly peers: ReadonlyMap<NodeId, Address>
  readonly strangers: 'admit' | 'refuse'
  /** Reads an address that is learnt later. Throws `ConfigError` for one that must not be dialled. */
  readonly locate: (text: string) => Address
  readonly security: Security
  readonly maxFrameBytes: number
  readonly maxQueueBytes: number
  readonly connectTimeout: number
  readonly helloTimeout: number
  readonly idleTimeout: number
  readonly backoff: readonly [min: number, max: number]
  readonly random: () => number
  readonly newIncarnation: () => string
  readonly scheduler: SchedulerLike
}

const MIB = 1024 * 1024
const SMALLEST = 64 * 1024
const LARGEST = 1024 * MIB
const LONGEST = 600_000

const SECRET_BYTES = 16

/** Fills in the defaults. Throws `ConfigError` for what cannot be. */
export function settings(options: TcpOptions): Settings {
  const { id, cluster, incarnation, random = chance, scheduler = asyncScheduler } = options
  checkNames(id, cluster, incarnation)
  if (typeof random !== 'function') throw new ConfigError('random', random, 'a function')
  if (typeof scheduler.schedule !== 'function') {
    throw new ConfigError('scheduler', scheduler, 'a scheduler, such as asyncScheduler')
  }
  const listen = parseAddress('listen', options.listen, 0)
  const peers = parsePeers(options)
  const checkReach = reach(options)
  checkReach('listen', options.listen, [listen])
  checkReach('peers', options.peers, [...peers.values()])
  return {
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
    security: securityOf(options),
    maxFrameBytes: within('maxFrameBytes', options.maxFrameBytes ?? 128 * MIB, SMALLEST, LARGEST),
    maxQueueBytes: within('maxQueueBytes', options.maxQueueBytes ?? 64 * MIB, SMALLEST, LARGEST),
    connectTimeout: within('connectTimeout', options.connectTimeout ?? 2_000, 1, LONGEST),
    helloTimeout: within('helloTimeout', options.helloTimeout ?? 1_000, 10, LONGEST),
    idleTimeout: within('idleTimeout', options.idleTimeout ?? 2_000, 20, LONGEST),
    backoff: checkBackoff(options.backoff ?? [50, 2_000]),
    random,
    newIncarnation: incarnation === undefined ? randomUUID : () => incarnation,
    scheduler,
  }
}

const chance = (): number => randomInt(2 ** 32) / 2 ** 32

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

type CheckReach = (option: string, value: unknown, addresses: readonly Address[]) => void

/** What throws `ConfigError` for addresses beyond this machine, unless something protects the connections. */
function reach({ secret, tls, insecureTrustNetwork = false }: TcpOptions): CheckReach {
  if (typeof insecureTrustNetwork !== 'boolean') {
    throw new ConfigError('insecureTrustNetwork', insecureTrustNetwork, 'true or false')
  }
  const isFree = secret !== undefined || tls !== undefined || insecureTrustNetwork
  return (option, value, addresses) => {
    if (isFree || addresses.every(isLoopback)) return
    const expected =
      'on this machine, such as 127.0.0.1, unless `secret` or `tls` protects the connections ' +
      '(or `insecureTrustNetwork` says that nobody can reach them who should not)'
    throw new ConfigError(option, value, expected)
  }
}

function securityOf(options: TcpOptions): Security {
  const { id, cluster, secret, tls } = options
  if (secret !== undefined && tls !== undefined) {
    throw new ConfigError('secret', 'given together with `tls`', 'one of the two')
  }
  if (tls !== undefined) return certificates(checkCertificates(tls, cluster, id), cluster)
  if (secret === undefined) return plaintext
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret
  // The value itself is not shown: errors end in logs.
  if (!(bytes instanceof Uint8Array) || bytes.length < SECRET_BYTES) {
    const shown = bytes instanceof Uint8Array ? `${bytes.length} bytes long` : typeof secret
    throw new ConfigError('secret', shown, `at least ${SECRET_BYTES} random bytes, better 32`)
  }
  // A copy, which nobody else can change.
  return sharedSecret({ secret: Uint8Array.from(bytes), id, cluster })
}

function checkCertificates(tls: Certificates, cluster: string, id: string): Certificates {
  for (const part of ['ca', 'cert', 'key'] as const) {
    const given: unknown = tls?.[part]
    if (typeof given === 'string' || given instanceof Uint8Array) continue
    throw new ConfigError(`tls.${part}`, typeof given, 'PEM, as a string or bytes')
  }
  const uri = identityUri(cluster, id)
  try {
    createSecureContext({ ca: copy(tls.ca), cert: copy(tls.cert), key: copy(tls.key) })
    if (idIn(new X509Certificate(copy(tls.cert)).subjectAltName, cluster) === id) return tls
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError('tls', `unusable (${reason})`, 'a certificate, its key and its authority')
  }
  const expected = `with the one raft: URI ${uri} among its subject alternative names`
  throw new ConfigError('tls.cert', 'a certificate of another server', expected)
}

const copy = (text: string | Uint8Array): string | Buffer =>
  typeof text === 'string' ? text : Buffer.from(text)

function within(option: string, value: number, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw new ConfigError(option, value, `a whole number from ${min} to ${max}`)
}

function checkBackoff(range: readonly [number, number]): readonly [min: number, max: number] {
  const [min, max] = Array.isArray(range) ? range : []
  const isRange = typeof min === 'number' && typeof max === 'number' && min >= 1 && max >= min
  if (isRange && max <= LONGEST) return range
  throw new ConfigError('backoff', range, `[min, max] in ms, 1 to ${LONGEST}, min not above max`)
}
