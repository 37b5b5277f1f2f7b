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
): Observable<Guest> {
  return new Observable((subscriber) => {
    const server = security.createServer(helloTimeout)
    const porch = new Porch()
    server.on('error', (cause: Error) => {
      if (server.listening) report('accept-failed', cause.message, undefined, cause)
      else subscriber.error(new ListenError(showAddress(address), cause))
    })
    server.on('listening', () => report('listening', `peers are awaited at ${boundTo(server)}`))
    server.on('connection', (raw: Socket) => {
      if (porch.admit(raw)) return
      report('peer-refused', `${raw.remoteAddress ?? 'somebody'}: too many unfinished handshakes`)
      raw.destroy()
    })
    server.on('tlsClientError', (cause: NodeJS.ErrnoException, socket: Socket) => {
      const failure = handshakeFailure(cause, security)
      // Who hangs up has refused nothing: it may have been connected in the meantime.
      if (cause.code !== 'ECONNRESET') {
        report(failure.code, `${socket.remoteAddress ?? 'somebody'}: ${failure.message}`)
      }
      // Node leaves a socket open whose handshake took too long.
      socket.destroy()
    })
    server.on(security.arrival, (socket: Socket) => {
      if (socket.destroyed) return
      const host = socket.remoteAddress ?? 'somebody'
      const release = porch.releaser(socket)
      subscriber.next({ socket, host, release })
    })
    server.listen(address)
    subscriber.add(() => {
      server.close()
      porch.clear()
    })
  })
}

function boundTo(server: Server): string {
  const bound = server.address()
  return bound === null || typeof bound === 'string'
    ? String(bound)
    : showAddress({ host: bound.address, port: bound.port })
}
