import { createServer, STATUS_CODES, type IncomingMessage, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Socket } from 'node:net'
import { Observable } from 'rxjs'
import { showAddress, type Address } from '../transport/tcp/address.ts'
import { ListenError } from '../transport/tcp/failure.ts'
import type { Report } from '../transport/tcp/notices.ts'

/** Somebody who asks for a WebSocket. */
export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Socket
  /** What has come behind the request. */
  readonly head: Uint8Array
}

/** Whoever asks for another protocol at `path`. What nobody else of the server's listeners waits for is answered 404. */
export function upgrades(server: Server, path: string): Observable<Upgrade> {
  return new Observable((subscriber) => {
    const listener = (request: IncomingMessage, socket: Socket, head: Uint8Array): void => {
      if (pathOf(request) === path) return subscriber.next({ request, socket, head })
      if (server.listenerCount('upgrade') === 1) turnAway(socket, 404, 'there is nothing here')
    }
    server.on('upgrade', listener)
    subscriber.add(() => server.off('upgrade', listener))
  })
}

const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?')[0]!

/** Answers a request that was to become a WebSocket, and ends its connection. */
export function turnAway(socket: Socket, status: number, reason: string): void {
  socket.on('error', () => undefined)
  // Whoever does not hang up is not waited for.
  socket.once('finish', () => socket.destroy())
  const body = `${reason}\n`
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n` +
      `content-type: text/plain\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

/** A certificate and its key, in PEM. */
export interface HttpsOptions {
  readonly cert: string | Uint8Array
  readonly key: string | Uint8Array
}

/** A server of its own for WebSockets, while it is subscribed to. Errors with `ListenError`. */
export function listening(
  address: Address,
  https: HttpsOptions | undefined,
  report: Report,
): Observable<Server> {
  return new Observable((subscriber) => {
    const server = https === undefined ? createServer() : createSecureServer(pem(https))
    server.on('request', (_request, response) => {
      response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end()
    })
    server.on('error', (cause: Error) => {
      if (server.listening) report('accept-failed', cause.message, undefined, cause)
      else subscriber.error(new ListenError(showAddress(address), cause))
    })
    server.on('listening', () => {
      const bound = server.address() as { readonly address: string; readonly port: number }
      const where = showAddress({ host: bound.address, port: bound.port })
      report('listening', `clients are awaited over WebSockets at ${where}`)
    })
    subscriber.next(server)
    server.listen(address)
    subscriber.add(() => {
      server.close()
      server.closeAllConnections()
    })
  })
}

const pem = ({ cert, key }: HttpsOptions) => ({ cert: copy(cert), key: copy(key) })

const copy = (text: string | Uint8Array): string | Buffer =>
  typeof text === 'string' ? text : Buffer.from(text)
