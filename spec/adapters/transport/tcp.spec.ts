import { randomBytes } from 'node:crypto'
import { tcp, type TcpOptions } from '../../../adapters/transport/tcp.ts'
import { transportLaws, type Join } from '../../laws/transport.ts'
import { authority } from './certificates.ts'
import { freeAddresses } from './station.ts'

async function cluster(more: (id: string) => Partial<TcpOptions> = () => ({})): Promise<Join> {
  const peers = await freeAddresses(['a', 'b', 'c'])
  return (id) => tcp({ id, cluster: 'laws', listen: peers[id]!, peers, ...more(id) })
}

transportLaws('tcp', () => cluster())

const secret = randomBytes(32)
transportLaws('tcp with a shared secret', () => cluster(() => ({ secret })))

const { issue } = authority()
transportLaws('tcp with certificates', () =>
  cluster((id) => ({ tls: issue([`raft://laws/${id}`]) })),
)
