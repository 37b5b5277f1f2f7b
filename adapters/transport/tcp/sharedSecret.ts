import { hkdfSync } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect, createServer, type PeerCertificate, type TLSSocket } from 'node:tls'
import type { Address } from './address.ts'
import { Failure } from './failure.ts'
import { idOf, identityUri } from './identity.ts'
import { checkProtocol, TLS_OPTIONS, type Security } from './security.ts'

/** With a key instead of a certificate, TLS 1.3 in OpenSSL has only this suite. It is still X25519 first. */
const SUITE = 'TLS_AES_128_GCM_SHA256'

/** Who shares the secret. */
export interface Circle {
  readonly secret: Uint8Array
  readonly cluster: string
  readonly id: string
}

/**
 * TLS 1.3 with keys derived from one secret of the cluster, one for each direction of each pair: who
 * holds the secret is a server of the cluster, and a connection to one cannot be passed on to another.
 */
export function sharedSecret(circle: Circle): Security {
  const { cluster, id } = circle
  const own = identityUri(cluster, id)
  const claimed = new WeakMap<Socket, string>()
  const findKey = (socket: TLSSocket, uri: string): Buffer | null => {
    const client = idOf(uri, cluster)
    if (client === undefined || client === id) return null
    claimed.set(socket, client)
    return keyFor(circle, uri, own)
  }
  return {
    createServer: (handshakeTimeout) =>
      createServer({
        ...TLS_OPTIONS,
        noDelay: true,
        handshakeTimeout,
        ciphers: SUITE,
        pskCallback: findKey,
      }),
    hint: 'the secret or the cluster is another',
    arrival: 'secureConnection',
    connect: (address, to) => {
      const socket = dial(circle, address, to)
      claimed.set(socket, to)
      return socket
    },
    ready: 'secureConnect',
    provenId: (socket) => {
      checkProtocol(socket as TLSSocket)
      return claimed.get(socket)
    },
  }
}

function dial(circle: Circle, { host, port }: Address, to: string): TLSSocket {
  const own = identityUri(circle.cluster, circle.id)
  const psk = keyFor(circle, own, identityUri(circle.cluster, to))
  return connect({
    ...TLS_OPTIONS,
    host,
    port,
    ciphers: SUITE,
    // No authority is trusted: a certificate in place of the key is an impostor's.
    ca: [],
    checkServerIdentity: refuseCertificate,
    pskCallback: () => ({ psk, identity: own }),
  })
}

function keyFor({ secret }: Circle, client: string, server: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'rxraft/1 psk', `${client} ${server}`, 32))
}

function refuseCertificate(_host: string, certificate: PeerCertificate): Error | undefined {
  return Object.keys(certificate).length === 0
    ? undefined
    : new Failure('peer-refused', 'it shows a certificate instead of the shared secret')
}
