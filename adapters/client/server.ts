import type { Socket } from 'node:net'
import { catchError, defer, EMPTY, map, mergeMap, tap, type Observable } from 'rxjs'
import { Slab } from '../../lib/slab.ts'
import { ConfigError } from '../../lib/errors.ts'
import type { Notice } from '../../lib/storage.ts'
import type { RaftNode } from '../../operators/engine/node.ts'
import { parseAddress, type Address } from '../transport/tcp/address.ts'
import { bounds } from '../transport/tcp/bounds.ts'
import { certificates, type Certificates } from '../transport/tcp/certificates.ts'
import type { Connection } from '../transport/tcp/connection.ts'
import { Failure, quote } from '../transport/tcp/failure.ts'
import { frame } from '../transport/tcp/frame.ts'
import { converse, readHello, refusal } from '../transport/tcp/handshake.ts'
import { encodeHello } from '../transport/tcp/hello.ts'
import { guests } from '../transport/tcp/listener.ts'
import type { Security } from '../transport/tcp/security.ts'
import type { TcpOptions } from '../transport/tcp/settings.ts'
import { sharedSecret } from '../transport/tcp/sharedSecret.ts'
import { checkCertificates, reach, securityOf } from '../transport/tcp/trust.ts'
import { clientsOf, SERVICE } from './codes.ts'
import type { CounterOptions } from './counter.ts'
import { checkCluster } from './party.ts'
import { reportRefusal, serving, type Port, type Reception } from './serving.ts'
import { SLAB_BYTES } from './sheaf.ts'

export type { Happened, Read, Source } from './tail.ts'

export interface ServeClientsOptions<C = never, Q = never, R = unknown>
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
    CounterOptions<C, Q, R> {
  /**
   * TLS 1.3 with certificates on both ends: this server's, as for `rxraft/transport/tcp`, with the URI `raft://CLUSTER/ID`;
   * every client's with `raft://CLUSTER%2Fclients/NAME`.
   */
  readonly tls?: Certificates
  /** Clients that may be connected at a time, at least 1. Default: 4,096. */
  readonly maxClients?: number
  /** Milliseconds after which a client of which nothing has been heard is gone; it may take twice as long. Default: 120,000. */
  readonly idleTimeout?: number
}

/** Milliseconds. A page that nobody looks at says something once a minute. */
const IDLE = 120_000

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
  options: ServeClientsOptions<C, Q, R>,
): Observable<Notice> {
  const listen = parseAddress('listen', options.listen, 0)
  reach(options)('listen', options.listen, [listen])
  const port = portOf(options)
  const security = ownSecurity(options, node.id)
  return serving(node, port, options, (reception) =>
    arriving(node.id, { ...port, security, listen }, reception),
  )
}

/** Fills in the defaults. Throws `ConfigError`. */
export function portOf(
  options: Pick<
    ServeClientsOptions,
    'cluster' | 'maxClients' | 'idleTimeout' | 'maxFrameBytes' | 'helloTimeout' | 'scheduler'
  >,
): Port {
  const { cluster, maxClients = 4096, idleTimeout = IDLE } = options
  checkCluster(cluster)
  if (!(maxClients >= 1)) throw new ConfigError('maxClients', maxClients, 'at least 1')
  return { ...bounds({ ...options, idleTimeout }), cluster, maxClients }
}

function ownSecurity(
  options: Pick<ServeClientsOptions, 'cluster' | 'secret' | 'tls'>,
  id: string,
): Security {
  const cluster = clientsOf(options.cluster)
  return securityOf(
    options,
    (secret) => sharedSecret({ secret, id: SERVICE, cluster }),
    (tls) => {
      const own = checkCertificates(tls, options.cluster, id)
      return certificates(own, { cluster, who: 'a client of this cluster' })
    },
  )
}

type Listening = Port & { readonly security: Security; readonly listen: Address }

function arriving(id: string, port: Listening, reception: Reception): Observable<Connection> {
  const { security, listen, helloTimeout } = port
  const { report } = reception
  return guests(security, listen, helloTimeout, report, 'clients').pipe(
    mergeMap((guest) =>
      greet(guest.socket, id, port, reception).pipe(
        tap(guest.release),
        catchError((cause: unknown) => {
          reportRefusal(report, guest.host, cause)
          return EMPTY
        }),
      ),
    ),
  )
}

/** Hears who is there, and answers with this server's name. */
function greet(
  socket: Socket,
  id: string,
  port: Listening,
  { admit }: Reception,
): Observable<Connection> {
  const talk = (connection: Connection): Observable<Connection> =>
    defer(() => {
      const proven = port.security.provenId(socket)
      return connection.next$.pipe(
        map((first) => {
          const hello = readHello(first, 'hello')
          if (proven !== undefined && proven !== hello.from) {
            throw refusal(
              `it says that it is ${quote(hello.from)} and proves to be ${quote(proven)}`,
            )
          }
          admit(hello)
          const { cluster, from } = hello
          const welcome = encodeHello({ cluster, from: id, to: from, incarnation: '1' })
          connection.write(frame('welcome', welcome))
          return connection
        }),
      )
    }).pipe(
      catchError((error: unknown) => {
        if (error instanceof Failure && error.code === 'peer-refused') connection.refuse(error)
        throw error
      }),
    )
  return converse(socket, port, talk, new Slab(SLAB_BYTES))
}
