import type { Server } from 'node:http'
import {
  concat,
  distinctUntilChanged,
  EMPTY,
  filter,
  groupBy,
  map,
  merge,
  mergeMap,
  NEVER,
  Observable,
  skip,
  switchMap,
  take,
} from 'rxjs'
import {
  raft,
  type Envelope,
  type Members,
  type NodeId,
  type Notice,
  type Trace,
  type Transport,
} from 'rxraft'
import { file, type FileOptions } from 'rxraft/storage/file'
import { serveClients } from 'rxraft/client/server'
import { serveWebSockets } from 'rxraft/client/websocket'
import { tcp } from 'rxraft/transport/tcp'
import { WebSocketServer } from 'ws'
import {
  formatAddress,
  formatPlace,
  parsePlace,
  placeOf,
  type Address,
  type Member,
} from './addresses.ts'
import { Clock } from './clock.ts'
import { clientPort } from './clientPort.ts'
import { commandCodec } from './codec.ts'
import { passTime } from './expiry.ts'
import { farewell } from './farewell.ts'
import { History } from './history.ts'
import { api, WEB_CLIENTS } from './http.ts'
import { MAX_IDEMPOTENCY_KEY_BYTES } from './idempotency.ts'
import { checkKept, join, lookAround, type Joining } from './join.ts'
import { MAX_KEY_BYTES } from './keys.ts'
import { store, type StoreNode } from './machine.ts'
import { mark } from './mark.ts'
import { removal } from './removal.ts'

/** What one server of the cluster is told. */
export interface ServeOptions {
  readonly id: string
  readonly cluster: string
  /** Directory of the log. */
  readonly data: string
  /** Where peers are listened to, as `HOST:PORT`. */
  readonly listen: string
  /** Where clients are listened to. */
  readonly http: Address
  /** Where `rxraft/kv` connects to, if anywhere. */
  readonly clients?: Address
  /** What they share with this server, at least 16 bytes. */
  readonly clientsSecret?: string
  /** Origins of pages that may connect, besides those that come from where this server is. */
  readonly origins?: readonly string[]
  /** The servers with which the cluster begins, this one too; none where it joins one. */
  readonly members: readonly Member[]
  /** Which of them are to lead rather than others. */
  readonly priorities?: Readonly<Record<string, number>>
  readonly joining?: Joining
  /** Whether an empty directory is refused: a founder that was started before has lost it. Default false. */
  readonly isExisting?: boolean
  readonly secret?: string
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string }
  readonly electionTimeout?: readonly [min: number, max: number]
  readonly heartbeat?: number
  readonly tuned?: { readonly atLeast: number }
  readonly diskStall?: number
  /** Largest value, in bytes. */
  readonly maxValueBytes: number
  readonly snapshotEntries?: number
  readonly snapshotTailBytes?: number
  /** Bytes of each of the log's files. */
  readonly segmentSize?: number
  /** Whether writes are passed on to the leader instead of being redirected. Default false. */
  readonly forward?: boolean
  /** When it emits, the server takes its leave and completes. Default: never. */
  readonly stop$?: Observable<unknown>
}

/** What a command takes besides its value, in bytes: its key, its name, and the rest of its tuple. */
const COMMAND_BYTES = MAX_KEY_BYTES + MAX_IDEMPOTENCY_KEY_BYTES + 128

/** Milliseconds for the answers that are under way when the server stops. */
const GRACE = 1_000

/**
 * A server as an Observable of what it has to say, a line at a time. It runs while it is subscribed to,
 * errors when it fails, and unsubscribing stops it at once.
 */
export function serve(options: ServeOptions): Observable<string> {
  const { id, joining, data, members, isExisting = false } = options
  if (joining === undefined) {
    const looked$ = isExisting ? checkKept(id, data) : EMPTY
    return concat(looked$, run(options, members))
  }
  return lookAround(joining, data).pipe(
    switchMap((found) =>
      run(
        options,
        found.flatMap(({ id, peer, http }) =>
          peer === undefined || http === undefined ? [] : [{ id, peer, http }],
        ),
      ),
    ),
  )
}

type Peers = readonly Member[]

function run(options: ServeOptions, peers: Peers): Observable<string> {
  return new Observable((subscriber) => {
    const node = raft({
      ...nodeOptions(options),
      storage: file(options.data, fileOptions(options)),
      transport: network(options, peers),
    })
    const history = new History(node)
    const { maxValueBytes, http, cluster } = options
    const clock = new Clock(node)
    const server = api({ node, cluster, history, clock, maxValueBytes })
    server.on('error', (error) => subscriber.error(error))
    server.on('listening', () =>
      subscriber.next(`clients are welcome at http://${formatAddress(http)}`),
    )

    subscriber.add(news(node).subscribe(subscriber))
    subscriber.add(passTime(node, clock).subscribe({ error: () => undefined }))
    const next = (line: string): void => subscriber.next(line)
    const error = (cause: unknown): void => subscriber.error(cause)
    subscriber.add(mark(node, options.data).subscribe({ error: () => undefined }))
    subscriber.add(membership(node, options, peers).subscribe({ next, error }))
    subscriber.add(welcome(node, history, server, options).subscribe({ next, error }))
    const stopped$ = (options.stop$ ?? NEVER).pipe(
      take(1),
      switchMap(() => farewell(node)),
    )
    subscriber.add(stopped$.subscribe({ next, complete: () => subscriber.complete() }))
    subscriber.add(node.connect())
    server.listen(http)
    subscriber.add(() => close(server))
  })
}

/** Serves the clients that connect with `rxraft/kv`: over TCP where that is asked for, and browsers beside the HTTP API. */
function welcome(
  node: StoreNode,
  history: History,
  server: Server,
  options: ServeOptions,
): Observable<string> {
  const { clients, clientsSecret: secret, origins = [], cluster, maxValueBytes } = options
  const port = { cluster, ...clientPort(history, maxValueBytes) }
  const web$ = serveWebSockets(node, {
    ...port,
    ...{ server, WebSocketServer, path: WEB_CLIENTS, origins, addressOf: webAddressOf },
    ...(secret !== undefined && { secret }),
  })
  const listen = clients && formatAddress(clients)
  const tcp$ = listen && serveClients(node, { ...port, ...trustOfClients(options), listen })
  return merge(web$, tcp$ || EMPTY).pipe(map(({ message }) => message))
}

const webAddressOf = (id: NodeId, members: Members): string | undefined => {
  const http = placeOf(members, id)?.http
  return http && `${http.replace(/^http/, 'ws')}${WEB_CLIENTS}`
}

/** Clients have a secret of their own, or certificates where the servers have them. */
function trustOfClients({ clientsSecret, tls }: ServeOptions) {
  if (clientsSecret !== undefined) return { secret: clientsSecret }
  return tls === undefined ? {} : { tls }
}

/** Comes into the cluster, if it is to join one, and stays until it is removed. */
function membership(node: StoreNode, options: ServeOptions, peers: Peers): Observable<string> {
  const { cluster, data, joining } = options
  if (joining === undefined) return removal(node, cluster)
  const others = peers.map((peer) => peer.http)
  return concat(join(node, joining, data, others), removal(node, cluster, [joining.contact]))
}

function nodeOptions(options: ServeOptions) {
  const { id, members, priorities, maxValueBytes } = options
  const { electionTimeout, heartbeat, diskStall, snapshotEntries, snapshotTailBytes } = options
  const { forward, tuned } = options
  const maxCommandBytes = maxValueBytes + COMMAND_BYTES
  return {
    id,
    members: members.map((member) => member.id),
    witnesses: members.filter((member) => member.isWitness).map((member) => member.id),
    addresses: Object.fromEntries(members.map((member) => [member.id, formatPlace(member)])),
    ...(priorities !== undefined && { priorities }),
    machine: store,
    codec: commandCodec(),
    maxCommandBytes,
    maxAppendBytes: Math.max(maxCommandBytes, 1024 * 1024),
    ...(electionTimeout !== undefined && { electionTimeout }),
    ...(heartbeat !== undefined && { heartbeat }),
    ...(tuned !== undefined && { tuned }),
    ...(diskStall !== undefined && { diskStall }),
    ...(snapshotEntries !== undefined && { snapshotEntries }),
    ...(snapshotTailBytes !== undefined && { snapshotTailBytes }),
    ...(forward !== undefined && { forward }),
  }
}

const fileOptions = ({ cluster, segmentSize }: ServeOptions): FileOptions => ({
  cluster,
  ...(segmentSize !== undefined && { segmentSize }),
})

/** TCP, which is told where peers find each other, and nothing of clients. */
function network(options: ServeOptions, peers: Peers): Transport {
  const { id, cluster, listen, secret, tls } = options
  const transport = tcp({
    id,
    cluster,
    listen,
    peers: Object.fromEntries(peers.map(({ id, peer }) => [id, peer])),
    ...(secret !== undefined && { secret }),
    ...(tls !== undefined && { tls }),
  })
  return (outbound) => outbound.pipe(map(withPeer()), transport)
}

/** Each message says where its receiver is, and that hardly ever changes: it is read once. */
function withPeer(): (envelope: Envelope) => Envelope {
  const peers = new Map<string, string>()
  return (envelope) => {
    const { address } = envelope
    if (address === undefined) return envelope
    const peer = peers.get(address) ?? parsePlace(address).peer
    peers.set(address, peer)
    return { ...envelope, address: peer }
  }
}

/** What an operator of the cluster should hear of, one line each. */
function news(node: StoreNode): Observable<string> {
  const notices$ = node.trace$.pipe(
    filter((trace: Trace): trace is Notice => trace.type === 'notice'),
    groupBy(({ source, peer }) => `${source} ${peer}`),
    // A peer that stays away is told of once, not at every attempt to reach it.
    mergeMap((notices$) => notices$.pipe(distinctUntilChanged((a, b) => a.message === b.message))),
    map(({ message }) => message),
  )
  const leaders$ = node.leader$.pipe(
    skip(1),
    map((leader) => (leader ? `${leader.id} leads in term ${leader.term}` : 'no leader is known')),
  )
  return merge(notices$, leaders$)
}

function close(server: Server): void {
  server.close()
  server.closeIdleConnections()
  setTimeout(() => server.closeAllConnections(), GRACE).unref()
}
