import { concatMap, defer, map, type Observable } from 'rxjs'
import { ConfigError } from '../../lib/errors.ts'
import { parseAddress, showAddress } from '../transport/tcp/address.ts'
import { certificates } from '../transport/tcp/certificates.ts'
import type { Connection } from '../transport/tcp/connection.ts'
import { connecting } from '../transport/tcp/dialling.ts'
import { quote } from '../transport/tcp/failure.ts'
import { frame } from '../transport/tcp/frame.ts'
import { readHello, refusal } from '../transport/tcp/handshake.ts'
import { encodeHello } from '../transport/tcp/hello.ts'
import { identityUri } from '../transport/tcp/identity.ts'
import type { Security } from '../transport/tcp/security.ts'
import { sharedSecret } from '../transport/tcp/sharedSecret.ts'
import { certifiedName, reach, securityOf } from '../transport/tcp/trust.ts'
import { clientsOf, SERVICE } from './codes.ts'
import type { Party } from './party.ts'
import { meeting, type FindWay, type Met } from './way.ts'

/** Ways to addresses of the form `HOST:PORT`. Throws `ConfigError`. */
export function overTcp(party: Party): FindWay {
  const { cluster, tls } = party
  const id = tls === undefined ? party.id : certified(tls, cluster)
  const security = securityOf(
    party,
    (secret) => sharedSecret({ secret, id, cluster: clientsOf(cluster) }),
    (own) => certificates(own, { cluster, who: 'a server of this cluster', isAny: true }),
  )
  const checkReach = reach(party)
  const around = { ...party, security, id }
  return (text) => {
    const address = parseAddress('servers', text, 1)
    checkReach('servers', text, [address])
    const meet = () =>
      connecting({ id: SERVICE }, address, around).pipe(
        concatMap((socket) =>
          meeting(socket, party, (it) => greet(it, () => security.provenId(socket), around)),
        ),
      )
    return { name: showAddress(address), kind: 'tcp', meet }
  }
}

/** Who the client is by its certificate. */
function certified(tls: NonNullable<Party['tls']>, cluster: string): string {
  const name = certifiedName(tls, clientsOf(cluster))
  if (name !== undefined) return name
  const uri = identityUri(clientsOf(cluster), 'NAME')
  const expected = `with one raft: URI, ${uri}, among its subject alternative names`
  throw new ConfigError('tls.cert', 'a certificate of no client', expected)
}

/** Says who is there, and hears who answers. */
function greet(
  connection: Connection,
  prove: () => string | undefined,
  { id, cluster }: Party & { readonly security: Security },
): Observable<Met> {
  return defer(() => {
    const proven = prove()
    const hello = { cluster: clientsOf(cluster), from: id, to: SERVICE, incarnation: '1' }
    connection.write(frame('hello', encodeHello(hello)))
    return connection.next$.pipe(
      map((answer) => {
        const { from } = readHello(answer, 'welcome')
        if (proven !== undefined && proven !== SERVICE && proven !== from) {
          throw refusal(`it says that it is ${quote(from)} and proves to be ${quote(proven)}`)
        }
        return { connection, id: from }
      }),
    )
  })
}
