import type { Server, Socket } from 'node:net'
import { Observable } from 'rxjs'
import { showAddress, type Address } from './address.ts'
import { ListenError } from './failure.ts'
import type { Report } from './notices.ts'
import { Porch } from './porch.ts'
import { handshakeFailure, type Security } from './security.ts'

/** Somebody who can be spoken to, and is a stranger until `release` says otherwise. */
export interface Guest {
  readonly socket: Socket
  /** Where it comes from. */
  readonly host: string
  readonly release: () => void
}

/**
 * Whoever connects and completes the handshake of the transport below. Errors with `ListenError` when
 * the address cannot be listened on; whatever fails after that concerns one guest and is reported.
 */
export function guests(
  security: Security,
  address: Address,
  helloTimeout: number,
  report: Report,
  awaited = 'peers',
): Observable<Guest> {
  return new Observable((subscriber) => {
    const server = security.createServer(helloTimeout)
    const porch = new Porch()
    server.on('error', (cause: Error) => {
      if (server.listening) report('accept-failed', cause.message, undefined, cause)
      else subscriber.error(new ListenError(showAddress(address), cause))
    })
    server.on('listening', () => {
      // Older versions of node do not stop a look-up when they close.
      if (subscriber.closed) server.close()
      else report('listening', `${awaited} are awaited at ${boundTo(server)}`)
    })
    server.on('connection', (raw: Socket) => {
      if (porch.admit(raw)) return
      report('peer-refused', `${hostOf(raw)}: too many unfinished handshakes`)
      raw.destroy()
    })
    server.on('tlsClientError', (cause: NodeJS.ErrnoException, socket: Socket) => {
      const { code, message } = handshakeFailure(cause, security)
      // Who hangs up has refused nothing: it may have been connected in the meantime.
      if (cause.code !== 'ECONNRESET') report(code, `${hostOf(socket)}: ${message}`)
      // Node leaves a socket open whose handshake took too long.
      socket.destroy()
    })
    server.on(security.arrival, (socket: Socket) => {
      if (socket.destroyed) return
      subscriber.next({ socket, host: hostOf(socket), release: porch.releaser(socket) })
    })
    server.listen(address)
    subscriber.add(() => {
      server.close()
      porch.clear()
    })
  })
}

const hostOf = ({ remoteAddress }: Socket): string => remoteAddress ?? 'somebody'

function boundTo(server: Server): string {
  const bound = server.address()
  return bound === null || typeof bound === 'string'
    ? String(bound)
    : showAddress({ host: bound.address, port: bound.port })
}
