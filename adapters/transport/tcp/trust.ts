import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { ConfigError } from '../../../lib/errors.ts'
import { isLoopback, type Address } from './address.ts'
import { checkSecret } from './bounds.ts'
import { idIn, type Certificates } from './certificates.ts'
import { identityUri } from './identity.ts'
import { plaintext } from './plaintext.ts'
import type { Security } from './security.ts'
import type { TcpOptions } from './settings.ts'

/** What protects connections. */
export type Protection = Pick<TcpOptions, 'secret' | 'tls' | 'insecureTrustNetwork'>

/** The one way of the three that the options ask for. Throws `ConfigError`. */
export function securityOf(
  { secret, tls }: Protection,
  bySecret: (secret: Uint8Array) => Security,
  byCertificates: (tls: Certificates) => Security,
): Security {
  if (secret !== undefined && tls !== undefined) {
    throw new ConfigError('secret', 'given together with `tls`', 'one of the two')
  }
  if (tls !== undefined) return byCertificates(tls)
  return secret === undefined ? plaintext : bySecret(checkSecret(secret))
}

export type CheckReach = (option: string, value: unknown, addresses: readonly Address[]) => void

/** What throws `ConfigError` for addresses beyond this machine, unless something protects the connections. */
export function reach({ secret, tls, insecureTrustNetwork = false }: Protection): CheckReach {
  if (typeof insecureTrustNetwork !== 'boolean') {
    throw new ConfigError('insecureTrustNetwork', insecureTrustNetwork, 'true or false')
  }
  const isFree = secret !== undefined || tls !== undefined || insecureTrustNetwork
  return (option, value, addresses) => {
    if (isFree || addresses.every(isLoopback)) return
    const expected =
      'on this machine, such as 127.0.0.1, unless `secret` or `tls` protects the connections ' +
      '(or `insecureTrustNetwork` says that nobody can reach them who should not)'
    throw new ConfigError(option, value, expected)
  }
}

/** Throws `ConfigError` for certificates that are unusable, or not those of `id`. */
export function checkCertificates(tls: Certificates, cluster: string, id: string): Certificates {
  if (certifiedName(tls, cluster) === id) return tls
  const expected = `with the one raft: URI ${identityUri(cluster, id)} among its subject alternative names`
  throw new ConfigError('tls.cert', 'a certificate of another server', expected)
}

/** Whose certificate it is in a cluster, if anybody's. Throws `ConfigError` for what is unusable. */
export function certifiedName(tls: Certificates, cluster: string): string | undefined {
  for (const part of ['ca', 'cert', 'key'] as const) {
    const given: unknown = tls?.[part]
    if (typeof given === 'string' || given instanceof Uint8Array) continue
    throw new ConfigError(`tls.${part}`, typeof given, 'PEM, as a string or bytes')
  }
  try {
    createSecureContext({ ca: copy(tls.ca), cert: copy(tls.cert), key: copy(tls.key) })
    return idIn(new X509Certificate(copy(tls.cert)).subjectAltName, cluster)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError('tls', `unusable (${reason})`, 'a certificate, its key and its authority')
  }
}

const copy = (text: string | Uint8Array): string | Buffer =>
  typeof text === 'string' ? text : Buffer.from(text)
