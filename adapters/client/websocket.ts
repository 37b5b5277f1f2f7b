import type { IncomingMessage, Server } from 'node:http'
import { mergeMap, of, type Observable } from 'rxjs'
import { ConfigError } from '../../lib/errors.ts'
import type { Notice } from '../../lib/storage.ts'
import type { RaftNode } from '../../operators/engine/node.ts'
import { isLoopback, parseAddress } from '../transport/tcp/address.ts'
import { checkSecret } from '../transport/tcp/bounds.ts'
import type { CounterOptions } from './counter.ts'
import { proofBy } from './proof.ts'
import { portOf, type ServeClientsOptions } from './server.ts'
import { serving } from './serving.ts'
import { listening, upgrades, type HttpsOptions } from './upgrades.ts'
import { visitors, type Door, type WebSocketServerConstructor } from './visitors.ts'

export type { Happened, Read, Source } from './tail.ts'
export type { HttpsOptions } from './upgrades.ts'
export type { WebSocketServerConstructor } from './visitors.ts'

export interface ServeWebSocketsOptions<C = never, Q = never, R = unknown>
  extends
    Pick<
      ServeClientsOptions,
      | 'cluster'
      | 'maxClients'
      | 'maxFrameBytes'
      | 'helloTimeout'
      | 'idleTimeout'
      | 'insecureTrustNetwork'
      | 'scheduler'
    >,
    Omit<CounterOptions<C, Q, R>, 'addressOf'> {
  /** The class of that name in the package `ws`, version 8.16 or later. */
  readonly WebSocketServer: WebSocketServerConstructor
  /** A server of `node:http` or `node:https`, of which only upgrades at `path` are taken; it is neither started nor closed. */
  readonly server?: Server
  /** Or where a server of its own is to listen, as `HOST:PORT`. */
  readonly listen?: string
  /** The certificate and the key of that, in PEM: it then speaks `wss://`. Default: `ws://`. */
  readonly https?: HttpsOptions
  /** Default: `/clients`. */
  readonly path?: string
  /**
   * Origins of pages that may connect, such as `https://shop.example`, besides those that come from the same host and port.
   * Programs that are no browser name none, and may.
   */
  readonly origins?: readonly string[]
  /**
   * What at least 16 random bytes clients prove to have, and hear proved, without it being said. It says who may come in;
   * what is said afterwards is protected by TLS only.
   */
  readonly secret?: string | Uint8Array
  /** What is wrong with a request for a connection, such as its cookies; `undefined` if nothing is. Default: nothing ever is. */
  readonly checkRequest?: (request: IncomingMessage) => string | undefined
  /** Where clients find another server, as a URL: `ws://` or `wss://`. Default: nobody tells. */
  readonly addressOf?: CounterOptions<C, Q>['addressOf']
}

/**
 * Serves a node as `serveClients` does, over WebSockets, which browsers have: to `connect` of `rxraft/client` with an address that
 * begins with `ws://` or `wss://`. Beyond this machine it has to be `wss://`, with `secret` or `checkRequest`. Errors with
 * `ListenError`, and with what the node fails with; completes when the node stops. Throws `ConfigError`.
 *
 * ```ts
 * serveWebSockets(node, { cluster: 'shop', server, WebSocketServer }).subscribe()
 * ```
 */
export function serveWebSockets<C, R, Q = never, A = never>(
  node: RaftNode<C, R, Q, A>,
  options: ServeWebSocketsOptions<C, Q, R>,
): Observable<Notice> {
  const port = portOf(options)
  const door = doorOf(options)
  const open = opening(options, door.isGuarded)
  return serving(node, port, options as CounterOptions<C, Q, R>, (reception) =>
    open(reception.report).pipe(
      mergeMap((server) => upgrades(server, door.path)),
      visitors(node.id, { ...port, ...door }, reception),
    ),
  )
}

function doorOf<C, Q, R>(options: ServeWebSocketsOptions<C, Q, R>): Door {
  const { WebSocketServer, path = '/clients', origins = [], secret, checkRequest } = options
  if (typeof WebSocketServer !== 'function') {
    throw new ConfigError('WebSocketServer', WebSocketServer, 'the class of the package ws')
  }
  if (!path.startsWith('/') || path.includes('?')) {
    throw new ConfigError('path', path, "a path, such as '/clients'")
  }
  for (const origin of origins) {
    if (URL.canParse(origin) && new URL(origin).origin === origin) continue
    throw new ConfigError('origins', origin, "an origin, such as 'https://shop.example'")
  }
  return {
    ...{ WebSocketServer, path, origins },
    proof: secret === undefined ? undefined : proofBy(checkSecret(secret)),
    checkRequest: checkRequest ?? (() => undefined),
    isGuarded: secret !== undefined || checkRequest !== undefined,
    isTrusted: options.insecureTrustNetwork === true,
  }
}

/** The server that is given, or one that is opened. */
function opening<C, Q, R>(options: ServeWebSocketsOptions<C, Q, R>, isGuarded: boolean) {
  const { server, listen, https, insecureTrustNetwork = false } = options
  if (server !== undefined && listen === undefined && https === undefined) return () => of(server)
  if (server !== undefined) {
    throw new ConfigError('server', 'given together with `listen` or `https`', 'one of the two')
  }
  const address = parseAddress('listen', listen, 0)
  const isFree = insecureTrustNetwork || (https !== undefined && isGuarded)
  if (!isFree && !isLoopback(address)) {
    const expected =
      'on this machine, such as 127.0.0.1, unless there are `https` and `secret` or `checkRequest` ' +
      '(or `insecureTrustNetwork` says that nobody can reach it who should not)'
    throw new ConfigError('listen', listen, expected)
  }
  return (report: Parameters<typeof listening>[2]) => listening(address, https, report)
}
