import { memory } from 'rxraft/storage/memory'
import { network } from 'rxraft/transport/memory'
import { freePorts } from '../../bench/harness/ports.ts'
import { eventually, start, type Running } from './support.ts'

export interface Cluster {
  /** What the configuration says of each server: where its peers find it, and where clients do. */
  readonly places: Readonly<Record<string, string>>
  readonly server: (id: string) => Running
  /** The server that leads, once there is one that can change members. */
  readonly leader: () => Promise<Running>
  /** One that founded the cluster and does not lead. */
  readonly follower: () => Promise<Running>
}

/** Servers in this process, with their HTTP API: `founders` are a cluster, `others` are in none. */
export async function cluster(founders: string, others = '', more = {}): Promise<Cluster> {
  const ids = [...founders, ...others]
  const ports = await freePorts(ids.length)
  const places = Object.fromEntries(
    ids.map((id, i) => [id, `127.0.0.1:${7001 + i} http://127.0.0.1:${ports[i]}`]),
  )
  const members = [...founders]
  const addresses = Object.fromEntries(members.map((id) => [id, places[id]!]))
  const net = network()
  const servers = new Map<string, Running>()
  for (const [i, id] of ids.entries()) {
    const founding = founders.includes(id) ? { members, addresses } : { members: [], addresses: {} }
    const adapters = { transport: net.join(id), storage: memory() }
    const times = { heartbeat: 20, electionTimeout: [100, 200] } as const
    servers.set(
      id,
      await start({ id, ...founding, ...adapters, ...times, ...more, port: ports[i]! }),
    )
  }
  const server = (id: string): Running => servers.get(id)!
  const leads = async (it: Running): Promise<boolean> => {
    const { role, commitIndex } = (await it.ask('/status')).json
    return role === 'leader' && Number(commitIndex) > 0
  }
  const find = (isLeader: boolean) =>
    eventually(async () => {
      const all = [...servers.values()]
      const leading = await Promise.all(all.map(leads))
      const isFound = (i: number) => leading[i] === isLeader && (isLeader || i < founders.length)
      return leading.includes(true) ? all.find((_, i) => isFound(i)) : undefined
    })
  return { places, server, leader: () => find(true), follower: () => find(false) }
}
