import { afterEach } from 'vitest'
import { tcp, type TcpOptions } from '../../../adapters/transport/tcp.ts'
import type { NodeId } from '../../../lib/types.ts'
import { freeAddresses, start, type Station } from './station.ts'

/** Servers of the cluster `spec` on ports of this machine, which end with each test. */
export interface Bench {
  addresses(...ids: readonly NodeId[]): Promise<Record<NodeId, string>>
  run(id: NodeId, peers: Record<NodeId, string>, more?: Partial<TcpOptions>): Station
  /** Ends with the test, too. */
  closing<T extends { close(): void } | { leave(): void }>(thing: T): T
}

export function bench(): Bench {
  const endings: (() => void)[] = []
  afterEach(() => {
    for (const end of endings.splice(0)) end()
  })
  return {
    addresses: (...ids) => freeAddresses(ids),
    run: (id, peers, more = {}) => {
      const options = { id, cluster: 'spec', listen: peers[id]!, peers, ...more }
      const station = start(id, tcp(options))
      endings.push(() => station.stop())
      return station
    },
    closing: (thing) => {
      endings.push(() => ('close' in thing ? thing.close() : thing.leave()))
      return thing
    },
  }
}
