import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import type { Certificates } from '../../../adapters/transport/tcp.ts'

/** An authority that signs certificates, in the least of ASN.1 that TLS 1.3 asks for. */
export interface Authority {
  /** Its own certificate, in PEM. */
  readonly ca: string
  /** A certificate and its key for whoever is named by the URIs. */
  issue(uris: readonly string[], validity?: Validity): Certificates
}

/** Days from now. */
interface Validity {
  readonly from: number
  readonly to: number
}

const DAY_MS = 86_400_000

export function authority(name = 'rxraft test authority'): Authority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const isAuthority = extension('2.5.29.19', sequence(der(0x01, Buffer.from([0xff]))), true)
  const lasting = { from: -1, to: 30 }
  const ca = certificate(name, name, own.publicKey, own.privateKey, [isAuthority], lasting)
  return {
    ca,
    issue: (uris, validity = lasting) => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const names = sequence(...uris.map((uri) => der(0x86, Buffer.from(uri, 'latin1'))))
      const extensions = [extension('2.5.29.17', names, false)]
      const cert = certificate(name, 'server', publicKey, own.privateKey, extensions, validity)
      return { ca, cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
    },
  }
}

function certificate(
  issuer: string,
  subject: string,
  publicKey: KeyObject,
  signer: KeyObject,
  extensions: readonly Buffer[],
  { from, to }: Validity,
): string {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'))
  const serial = createHash('sha256').update(randomBytes(16)).digest().subarray(0, 16)
  serial[0]! &= 0x7f
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), serial])),
    algorithm,
    commonName(issuer),
    sequence(time(from), time(to)),
    commonName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, signer)
  const whole = sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = whole.toString('base64').match(/.{1,64}/g)!
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

const commonName = (name: string): Buffer =>
  sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(name)))))

function time(days: number): Buffer {
  const iso = new Date(Date.now() + days * DAY_MS).toISOString()
  return der(0x18, Buffer.from(`${iso.slice(0, 19).replace(/[-T:]/g, '')}Z`))
}

function extension(id: string, value: Buffer, isCritical: boolean): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : []
  return sequence(oid(id), ...critical, der(0x04, value))
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, Buffer.concat(parts))

function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(Number)
  const bytes = rest.flatMap((part) => {
    const groups = [part & 0x7f]
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80)
    return groups
  })
  return der(0x06, Buffer.from([first! * 40 + second!, ...bytes]))
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
