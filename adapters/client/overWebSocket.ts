import { concatMap, defer, from, map, Observable, of, throwError, timeout } from 'rxjs'
import { ConfigError } from '../../lib/errors.ts'
import { checkSecret } from '../transport/tcp/bounds.ts'
import type { Connection } from '../transport/tcp/connection.ts'
import { Failure } from '../transport/tcp/failure.ts'
import { frame, type Frame } from '../transport/tcp/frame.ts'
import { readHello, refusal } from '../transport/tcp/handshake.ts'
import { encodeHello } from '../transport/tcp/hello.ts'
import { clientsOf, SERVICE } from './codes.ts'
import { nonce, type Party } from './party.ts'
import { CHALLENGE_BYTES, inHex, proofBy, type Proof } from './proof.ts'
import { meeting, type FindWay, type Met } from './way.ts'
import { failureIn, SUBPROTOCOL, WebSocketWire, type WebSocketLike } from './webSocketWire.ts'

/** How a WebSocket is made: the class of that name. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike

/** Ways to addresses of the form `ws://HOST:PORT/PATH` and `wss://…`. Throws `ConfigError`. */
export function overWebSocket(
  party: Party,
  Socket = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket,
): FindWay {
  const proof = party.secret === undefined ? undefined : proofBy(checkSecret(party.secret))
  return (text) => {
    if (typeof text !== 'string' || !/^wss?:/i.test(text)) return undefined
    const { href, protocol } = checkUrl(text, party)
    if (Socket === undefined) {
      const shown = 'missing: this runtime has none of its own'
      throw new ConfigError('WebSocket', shown, 'a class, such as that of the package ws')
    }
    const meet = () =>
      opening(href, Socket, party).pipe(
        concatMap((wire) => meeting(wire, party, (it) => greet(it, party, proof))),
      )
    return { name: href, kind: protocol === 'wss:' ? 'wss' : 'ws', meet }
  }
}

function checkUrl(text: string, { secret, tls, insecureTrustNetwork }: Party): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new ConfigError('servers', text, "a URL such as 'wss://shop.example/clients'")
  }
  if (url.protocol === 'ws:' && !isLoopback(url.hostname) && insecureTrustNetwork !== true) {
    throw new ConfigError(
      ...(['servers', text] as const),
      'wss://, or on this machine, such as ws://127.0.0.1 (or `insecureTrustNetwork` says that ' +
        'nobody can reach them who should not)',
    )
  }
  if (tls !== undefined) {
    throw new ConfigError('tls', 'given for a WebSocket', '`secret`: certificates are for TCP')
  }
  if (secret !== undefined && globalThis.crypto.subtle === undefined) {
    const shown = 'given on a page that is not secure'
    throw new ConfigError('secret', shown, 'on a page from https:// or from this machine')
  }
  return url
}

/** A host in a URL is in one spelling. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)

/** A WebSocket that is open. */
function opening(
  url: string,
  Socket: WebSocketConstructor,
  { connectTimeout, scheduler }: Party,
): Observable<WebSocketWire> {
  return new Observable<WebSocketWire>((subscriber) => {
    const socket = new Socket(url, [SUBPROTOCOL])
    let isKept = false
    socket.binaryType = 'arraybuffer'
    const fail = (reason: string): void => subscriber.error(unreachable(reason))
    socket.addEventListener('error', (event) => fail(failureIn(event).message))
    socket.addEventListener('close', () => fail('the WebSocket was closed'))
    socket.addEventListener('open', () => {
      if (subscriber.closed) return
      if (socket.protocol !== SUBPROTOCOL) return fail(`it does not speak ${SUBPROTOCOL}`)
      isKept = true
      subscriber.next(new WebSocketWire(socket, scheduler))
      subscriber.complete()
    })
    subscriber.add(() => {
      if (!isKept) socket.close()
    })
  }).pipe(
    timeout({
      first: connectTimeout,
      scheduler,
      with: () => throwError(() => unreachable(`no connection within ${connectTimeout} ms`)),
    }),
  )
}

const unreachable = (message: string): Failure => new Failure('peer-unreachable', message)

/** Says who is there, proves it where there is a secret, and hears who answers and whether that has it, too. */
function greet(connection: Connection, party: Party, proof: Proof | undefined): Observable<Met> {
  return defer(() => {
    const incarnation = proof === undefined ? '1' : nonce()
    const { cluster, id } = party
    const hello = encodeHello({
      ...{ cluster: clientsOf(cluster), from: id, to: SERVICE, incarnation },
    })
    connection.write(frame('hello', hello))
    return connection.next$.pipe(
      concatMap((answer) => answering(connection, answer, hello, proof)),
      map(({ answer, expected }) => {
        const { from, incarnation } = readHello(answer, 'welcome')
        if (incarnation !== expected) throw refusal('it does not prove that it has the secret')
        return { connection, id: from }
      }),
    )
  })
}

/** What comes after the challenge, if there is one, and what it has to prove. */
function answering(
  connection: Connection,
  answer: Frame,
  hello: Uint8Array,
  proof: Proof | undefined,
): Observable<{ readonly answer: Frame; readonly expected: string }> {
  if (answer.type !== 'challenge') {
    // Nothing is expected of one that refuses; one that welcomes has proved nothing.
    return of({ answer, expected: proof === undefined ? '1' : 'a proof' })
  }
  const challenge = answer.head.slice()
  if (proof === undefined) throw refusal('it asks for a secret')
  if (challenge.length !== CHALLENGE_BYTES)
    throw new Failure('bad-frame', 'a challenge that is none')
  const given = Promise.all([
    proof.give('client', hello, challenge),
    proof.give('server', hello, challenge),
  ])
  return from(given).pipe(
    concatMap(([own, theirs]) => {
      connection.write(frame('proof', own))
      return connection.next$.pipe(map((next) => ({ answer: next, expected: inHex(theirs) })))
    }),
  )
}
