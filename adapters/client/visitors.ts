import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import {
  catchError,
  concatMap,
  defer,
  EMPTY,
  from,
  map,
  mergeMap,
  Observable,
  of,
  tap,
  type OperatorFunction,
} from 'rxjs'
import { Slab } from '../../lib/slab.ts'
import { isLoopback } from '../transport/tcp/address.ts'
import type { Connection } from '../transport/tcp/connection.ts'
import { Failure, quote } from '../transport/tcp/failure.ts'
import { frame, type Frame } from '../transport/tcp/frame.ts'
import { converse, readHello, refusal } from '../transport/tcp/handshake.ts'
import { encodeHello, type Hello } from '../transport/tcp/hello.ts'
import { Porch } from '../transport/tcp/porch.ts'
import { isWelcome } from './origin.ts'
import { drawChallenge, inHex, type Proof } from './proof.ts'
import { reportRefusal, type Port, type Reception } from './serving.ts'
import { SLAB_BYTES } from './sheaf.ts'
import { turnAway, type Upgrade } from './upgrades.ts'
import { MESSAGE_BYTES, SUBPROTOCOL, WebSocketWire, type WebSocketLike } from './webSocketWire.ts'

/** What is used of `WebSocketServer` of the package `ws`. */
export type WebSocketServerConstructor = new (options: {
  readonly noServer: true
  readonly clientTracking: false
  readonly perMessageDeflate: false
  readonly autoPong: false
  readonly maxPayload: number
  readonly handleProtocols: () => string
}) => {
  handleUpgrade(
    request: IncomingMessage,
    socket: Socket,
    head: Uint8Array,
    accept: (socket: ServedWebSocket) => void,
  ): void
}

interface ServedWebSocket extends WebSocketLike {
  on(event: 'ping', listener: (data: Uint8Array) => void): unknown
  pong(data: Uint8Array): void
}

/** Where WebSockets come in, and who is let in there. */
export interface Door {
  readonly WebSocketServer: WebSocketServerConstructor
  readonly path: string
  readonly origins: readonly string[]
  readonly proof: Proof | undefined
  readonly checkRequest: (request: IncomingMessage) => string | undefined
  /** Whether clients have to show that they may come in. */
  readonly isGuarded: boolean
  /** Whether everybody who can reach it may come in. */
  readonly isTrusted: boolean
}

/** Bytes that are not sent yet, beyond which a ping of the WebSocket's own gets no answer. */
const UNSENT_BYTES = 64 * 1024

/** Lets them in who may come in. Whatever is wrong with one of them concerns nobody else, and is reported. */
export function visitors(
  id: string,
  door: Door & Port,
  reception: Reception,
): OperatorFunction<Upgrade, Connection> {
  return (upgrades$) =>
    new Observable((subscriber) => {
      const porch = new Porch()
      const accept = accepting(door, porch)
      const arriving$ = upgrades$.pipe(
        mergeMap((upgrade) =>
          accept(upgrade).pipe(
            concatMap((wire) => greet(wire, () => faultOf(upgrade, door), id, door, reception)),
            tap(porch.releaser(upgrade.socket)),
            catchError((cause: unknown) => {
              reportRefusal(reception.report, hostOf(upgrade), cause)
              return EMPTY
            }),
          ),
        ),
      )
      subscriber.add(arriving$.subscribe(subscriber))
      subscriber.add(() => porch.clear())
    })
}

const hostOf = ({ socket }: Upgrade): string => socket.remoteAddress ?? 'somebody'

/** Upgrades become WebSockets, while there is room for one more stranger. */
function accepting(
  { WebSocketServer, scheduler }: Door & Port,
  porch: Porch,
): (upgrade: Upgrade) => Observable<WebSocketWire> {
  const server = new WebSocketServer({
    ...({ noServer: true, clientTracking: false, perMessageDeflate: false } as const),
    ...({ autoPong: false, maxPayload: MESSAGE_BYTES } as const),
    handleProtocols: () => SUBPROTOCOL,
  })
  return ({ request, socket, head }) =>
    new Observable((subscriber) => {
      const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/)
      if (!offered.includes(SUBPROTOCOL)) {
        turnAway(socket, 400, `a WebSocket of ${SUBPROTOCOL} is spoken here`)
        return subscriber.complete()
      }
      if (!porch.admit(socket)) {
        turnAway(socket, 503, 'too many unfinished handshakes')
        return subscriber.error(refusal('too many unfinished handshakes'))
      }
      socket.once('close', () => subscriber.complete())
      server.handleUpgrade(request, socket, head, (it) => {
        it.on('ping', (data) => {
          if (socket.writableLength <= UNSENT_BYTES) it.pong(data)
        })
        subscriber.next(new WebSocketWire(it, scheduler, socket))
        subscriber.complete()
      })
    })
}

/** Why somebody is not let in. It is told on the WebSocket: of what comes instead of one, a browser shows a page nothing. */
function faultOf({ request, socket }: Upgrade, door: Door): string | undefined {
  const { origin, host } = request.headers
  if (!isWelcome(origin, host, door.origins)) {
    return `pages of ${quote(origin ?? '')} are not let in`
  }
  const isNear = isLoopback({ host: socket.remoteAddress ?? '', port: 0 })
  if (!isNear && !door.isTrusted) {
    if ((socket as TLSSocket).encrypted !== true) return 'from beyond this machine only over wss://'
    if (!door.isGuarded) return 'from beyond this machine only with a secret'
  }
  return door.checkRequest(request)
}

/** Hears who is there, has it proved where there is a secret, and answers with this server's name. */
function greet(
  wire: WebSocketWire,
  fault: () => string | undefined,
  id: string,
  port: Door & Port,
  { admit }: Reception,
): Observable<Connection> {
  const talk = (connection: Connection): Observable<Connection> =>
    defer(() => {
      const reason = fault()
      if (reason !== undefined) throw refusal(reason)
      return connection.next$
    }).pipe(
      concatMap((first) => proving(connection, first, port.proof)),
      map(({ hello, incarnation }) => {
        admit(hello)
        const { cluster, from: to } = hello
        const welcome = encodeHello({ cluster, from: id, to, incarnation })
        connection.write(frame('welcome', welcome))
        return connection
      }),
      catchError((error: unknown) => {
        if (error instanceof Failure && error.code === 'peer-refused') connection.refuse(error)
        throw error
      }),
    )
  return converse(wire, port, talk, new Slab(SLAB_BYTES))
}

interface Proven {
  readonly hello: Hello
  /** What proves this server, in turn. */
  readonly incarnation: string
}

function proving(
  connection: Connection,
  first: Frame,
  proof: Proof | undefined,
): Observable<Proven> {
  const hello = readHello(first, 'hello')
  if (proof === undefined) return of({ hello, incarnation: '1' })
  const said = first.head.slice()
  const challenge = drawChallenge()
  connection.write(frame('challenge', challenge))
  return connection.next$.pipe(
    concatMap(({ type, head }) => {
      if (type !== 'proof')
        throw new Failure('bad-frame', `a frame of type ${type} instead of proof`)
      return from(proof.check(head, 'client', said, challenge))
    }),
    concatMap((isProven) => {
      if (!isProven) throw refusal('the secret is another')
      return from(proof.give('server', said, challenge))
    }),
    map((own) => ({ hello, incarnation: inHex(own) })),
  )
}
