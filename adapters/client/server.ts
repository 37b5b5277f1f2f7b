import { catchError, EMPTY, map, mergeMap, Observable, tap, type Subscriber } from 'rxjs'
import type { Socket } from 'node:net'
import { Slab } from '../../lib/slab.ts'
import type { Notice } from '../../lib/storage.ts'
import type { RaftNode } from '../../operators/engine/node.ts'
import type { Connection } from '../transport/tcp/connection.ts'
import { Failure, quote } from '../transport/tcp/failure.ts'
import { frame } from '../transport/tcp/frame.ts'
import { converse, readHello, refusal } from '../transport/tcp/handshake.ts'
import { encodeHello } from '../transport/tcp/hello.ts'
import { guests } from '../transport/tcp/listener.ts'
import { notices, reportFailure } from '../transport/tcp/notices.ts'
import { settings, type Settings, type TcpOptions } from '../transport/tcp/settings.ts'
import { clientsOf, SERVICE } from './codes.ts'
import { Counter, type CounterOptions } from './counter.ts'
import { gathering } from './gathering.ts'
import { SLAB_BYTES } from './sheaf.ts'

export type { Happened, Read, Source } from './tail.ts'

export interface ServeClientsOptions<C = never, Q = never>
  extends
    Pick<
      TcpOptions,
      | 'cluster'
      | 'listen'
      | 'secret'
      | 'insecureTrustNetwork'
      | 'maxFrameBytes'
      | 'helloTimeout'
      | 'scheduler'
    >,
    CounterOptions<C, Q> {
  /** Clients that may be connected at a time, at least 1. Default: 4,096. */
  readonly maxClients?: number
}

/**
 * Serves a node to programs outside the cluster, which `connect` of `rxraft/client`: listens while it is subscribed
 * to, and emits notices of what goes on. Errors with `ListenError`, and with what the node fails with; completes when the node stops.
 * Throws `ConfigError`.
 *
 * ```ts
 * serveClients(node, { cluster: 'shop', listen: '127.0.0.1:9001' }).subscribe()
 * ```
 */
export function serveClients<C, R, Q = never, A = never>(
  node: RaftNode<C, R, Q, A>,
  options: ServeClientsOptions<C, Q>,
): Observable<Notice> {
  const { cluster, maxClients = 4096, ...rest } = options
  const config = settings({ ...rest, id: SERVICE, cluster: clientsOf(cluster), peers: {} })
  return new Observable((subscriber) => run(node, { ...config, maxClients }, options, subscriber))
}

function run<C, R, Q, A>(
  node: RaftNode<C, R, Q, A>,
  config: Settings & { readonly maxClients: number },
  options: CounterOptions<C, Q>,
  subscriber: Subscriber<Notice>,
): void {
  const { security, listen, scheduler, helloTimeout } = config
  const { report } = notices((notice) => subscriber.next(notice), scheduler)
  const gather = gathering()
  const counters = new Set<Counter<C, R, Q, A>>()
  const arriving$ = guests(security, listen, helloTimeout, report, 'clients').pipe(
    mergeMap((guest) =>
      greet(guest.socket, node.id, config, () => counters.size).pipe(
        tap(guest.release),
        catchError((cause: unknown) => {
          if (!isDeparture(cause)) reportFailure(report, guest.host, cause)
          return EMPTY
        }),
      ),
    ),
  )
  const serve = (connection: Connection): void => {
    connection.trust(config.maxFrameBytes)
    const counter = new Counter(connection, node, options, gather)
    counters.add(counter)
    connection.end$.subscribe({
      error: (reason: unknown) => {
        counters.delete(counter)
        counter.close()
        if (!isDeparture(reason)) reportFailure(report, 'a client', reason)
      },
    })
  }
  subscriber.add(() => {
    for (const counter of counters) counter.leave()
  })
  const error = (cause: unknown): void => subscriber.error(cause)
  subscriber.add(arriving$.subscribe({ next: serve, error }))
  subscriber.add(node.leader$.subscribe({ error, complete: () => subscriber.complete() }))
}

/** Hears who is there, and answers with this server's name. */
function greet(
  socket: Socket,
  id: string,
  config: Settings & { readonly maxClients: number },
  count: () => number,
): Observable<Connection> {
  const { cluster, security, maxClients } = config
  const talk = (connection: Connection): Observable<Connection> =>
    connection.next$.pipe(
      map((first) => {
        const { cluster: named, from } = readHello(first, 'hello')
        if (named !== cluster) {
          throw refusal(`it asks for ${quote(named)}, and this is ${quote(cluster)}`)
        }
        const proven = security.provenId(socket)
        if (proven !== undefined && proven !== from) {
          throw refusal(`it says that it is ${quote(from)} and proves to be ${quote(proven)}`)
        }
        if (count() >= maxClients) throw refusal(`${maxClients} clients are here already`)
        const welcome = encodeHello({ cluster, from: id, to: from, incarnation: '1' })
        connection.write(frame('welcome', welcome))
        return connection
      }),
      catchError((error: unknown) => {
        if (error instanceof Failure && error.code === 'peer-refused') connection.refuse(error)
        throw error
      }),
    )
  return converse(socket, config, talk, new Slab(SLAB_BYTES))
}

const isDeparture = (cause: unknown): boolean =>
  cause instanceof Failure && cause.code === 'peer-disconnected'
