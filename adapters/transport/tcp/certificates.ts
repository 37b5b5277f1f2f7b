import type { Socket } from 'node:net'
import { connect, createServer, type PeerCertificate, type TLSSocket } from 'node:tls'
import { Failure } from './failure.ts'
import { idOf } from './identity.ts'
import { checkProtocol, TLS_OPTIONS, type Security } from './security.ts'

/** A private authority, and this server's certificate and key, in PEM. */
export interface Certificates {
  /** Certificates of the authorities that sign the servers of this cluster. */
  readonly ca: string | Uint8Array
  /** This server's certificate, with any that stand between it and `ca` after it. */
  readonly cert: string | Uint8Array
  /** Its private key. */
  readonly key: string | Uint8Array
}

/** Who has to be at the other end. */
export interface Others {
  /** The cluster in their certificates' URI. */
  readonly cluster: string
  /** Anybody of them, for a person. */
  readonly who: string
  /** Whether anybody of them will do where one is dialled. Default: only the one who is dialled. */
  readonly isAny?: boolean
}

/** TLS 1.3 in which both ends show a certificate; its URI says which server of which cluster it is. */
export function certificates({ ca, cert, key }: Certificates, others: Others): Security {
  const own = { ...TLS_OPTIONS, ca: pem(ca), cert: pem(cert), key: pem(key) }
  return {
    createServer: (handshakeTimeout) =>
      createServer({
        ...own,
        noDelay: true,
        handshakeTimeout,
        requestCert: true,
        // Node would only hang up; `provenId` refuses, and says why.
        rejectUnauthorized: false,
      }),
    hint: 'a certificate or its authority is another',
    arrival: 'secureConnection',
    connect: ({ host, port }, to) =>
      connect({
        ...own,
        host,
        port,
        checkServerIdentity: (_host, certificate) => {
          const id = certifiedId(certificate, others.cluster)
          if (others.isAny) return id === undefined ? impostor(id, others.who) : undefined
          return id === to ? undefined : impostor(id, to)
        },
      }),
    ready: 'secureConnect',
    provenId: (socket: Socket) => {
      const { authorized, authorizationError } = socket as TLSSocket
      checkProtocol(socket as TLSSocket)
      if (!authorized) {
        throw new Failure(
          'peer-refused',
          `its certificate is refused: ${String(authorizationError)}`,
        )
      }
      const id = certifiedId((socket as TLSSocket).getPeerCertificate(), others.cluster)
      if (id === undefined) throw impostor(id, others.who)
      return id
    },
  }
}

const pem = (text: string | Uint8Array): string | Buffer =>
  typeof text === 'string' ? text : Buffer.from(text)

const impostor = (id: string | undefined, expected: string): Failure =>
  new Failure('peer-refused', `its certificate is of ${id ?? 'nobody here'}, not of ${expected}`)

/** The id in the certificate's one `raft:` URI, if that is of this cluster. */
function certifiedId(certificate: PeerCertificate, cluster: string): string | undefined {
  return idIn(certificate.subjectaltname, cluster)
}

/**
 * The same of a certificate's subject alternative names, as node writes them. Names that it had to quote
 * could hide another in them, and a URI of this form needs no quotes.
 */
export function idIn(names: string | undefined, cluster: string): string | undefined {
  if (names === undefined || names.includes('"')) return undefined
  const uris = names.split(', ').filter((name) => name.startsWith('URI:raft:'))
  return uris.length === 1 ? idOf(uris[0]!.slice('URI:'.length), cluster) : undefined
}
