import type { Server, Socket } from 'node:net'
import { constants } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { Address } from './address.ts'
import { Failure } from './failure.ts'

/** How servers on the two ends of a socket come to trust each other. */
export interface Security {
  /** A server that does not listen yet, which lets each handshake take `handshakeTimeout` ms. */
  readonly createServer: (handshakeTimeout: number) => Server
  /** The likeliest reason for which a handshake is refused. */
  readonly hint: string
  /** The server's event for a socket that can be spoken on. */
  readonly arrival: 'connection' | 'secureConnection'
  /** Begins to connect to the server `id`. */
  readonly connect: (address: Address, id: string) => Socket
  /** The event of a dialling socket that can be spoken on. */
  readonly ready: 'connect' | 'secureConnect'
  /**
   * Who the other end has proved to be; `undefined` where nobody proves anything. Throws `Failure` when
   * it has proved to be nobody of this cluster.
   */
  readonly provenId: (socket: Socket) => string | undefined
}

/** The protocol's name in TLS: another version has another name. */
const ALPN = 'rxraft/1'

/**
 * Nothing but TLS 1.3, and nothing but whole handshakes: a resumed one would let in whoever was trusted
 * before.
 */
export const TLS_OPTIONS = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ALPNProtocols: [ALPN],
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const

/** Throws `Failure` unless the protocol of this transport was agreed on. */
export function checkProtocol({ alpnProtocol }: TLSSocket): void {
  if (alpnProtocol !== ALPN) throw new Failure('peer-refused', `it does not speak ${ALPN}`)
}

/** Why a socket could not be spoken on, where the other end may be no friend. */
export function handshakeFailure(cause: NodeJS.ErrnoException, { hint }: Security): Failure {
  if (cause instanceof Failure) return cause
  const words = `the handshake was refused, perhaps because ${hint} (${cause.code ?? cause.message})`
  return new Failure('peer-refused', words, { cause })
}
