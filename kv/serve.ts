import type { Server } from 'node:http'
import { distinctUntilChanged, filter, groupBy, map, merge, mergeMap, Observable, skip } from 'rxjs'
import { raft, type Notice, type Trace } from 'rxraft'
import { file } from 'rxraft/storage/file'
import { tcp } from 'rxraft/transport/tcp'
import type { Address, Member } from './addresses.ts'
import { History } from './history.ts'
import { api } from './http.ts'
import { MAX_KEY_BYTES } from './keys.ts'
import { store, type StoreNode } from './machine.ts'

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
  /** Every server of the cluster, this one too. */
  readonly members: readonly Member[]
  readonly secret?: string
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string }
  readonly electionTimeout?: readonly [min: number, max: number]
  readonly heartbeat?: number
  /** Largest value, in bytes. */
  readonly maxValueBytes: number
}

/** What a command takes besides its value, in bytes: its key, and the rest of its tuple. */
const COMMAND_BYTES = MAX_KEY_BYTES + 64

/** Milliseconds for the answers that are under way when the server stops. */
const GRACE = 1_000

/**
 * A server as an Observable of what it has to say, a line at a time. It runs while it is subscribed to,
 * errors when it fails, and unsubscribing stops it.
 */
export function serve(options: ServeOptions): Observable<string> {
  return new Observable((subscriber) => {
    const node = raft({
      ...nodeOptions(options),
      storage: file(options.data),
      transport: tcp(transportOptions(options)),
    })
    const history = new History(node.commits$)
    const addresses = new Map(options.members.map(({ id, http }) => [id, http]))
    const { maxValueBytes } = options
    const server = api({ node, history, addresses, maxValueBytes })
    server.on('error', (error) => subscriber.error(error))
    server.on('listening', () =>
      subscriber.next(`clients are welcome at ${addresses.get(node.id)}`),
    )

    subscriber.add(news(node).subscribe(subscriber))
    subscriber.add(node.connect())
    server.listen(options.http)
    subscriber.add(() => close(server))
  })
}

function nodeOptions({ id, members, electionTimeout, heartbeat, maxValueBytes }: ServeOptions) {
  const maxCommandBytes = maxValueBytes + COMMAND_BYTES
  return {
    id,
    members: members.map((member) => member.id),
    machine: store,
    maxCommandBytes,
    maxAppendBytes: Math.max(maxCommandBytes, 1024 * 1024),
    ...(electionTimeout === undefined ? {} : { electionTimeout }),
    ...(heartbeat === undefined ? {} : { heartbeat }),
  }
}

function transportOptions({ id, cluster, listen, members, secret, tls }: ServeOptions) {
  return {
    id,
    cluster,
    listen,
    peers: Object.fromEntries(members.map((member) => [member.id, member.peer])),
    ...(secret === undefined ? {} : { secret }),
    ...(tls === undefined ? {} : { tls }),
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
