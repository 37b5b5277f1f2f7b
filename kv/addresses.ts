import type { Members, NodeId } from 'rxraft'

/** Where a socket is: `HOST:PORT`, an IPv6 host in brackets. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Where a server's peers find it, and where clients do. */
export interface Place {
  /** `HOST:PORT`. */
  readonly peer: string
  /** Such as `http://127.0.0.1:8001`. */
  readonly http: string
  /** `HOST:PORT` of the port that `rxraft/kv` connects to, where there is one. */
  readonly clients?: string
}

/** One server of the cluster. */
export interface Member extends Place {
  readonly id: NodeId
  /** It votes, and keeps no data. */
  readonly isWitness?: boolean
}

/** The addresses of the demo's servers, which the client asks when it is told no others. */
export const DEMO: readonly Member[] = [
  { id: 'a', peer: '127.0.0.1:7001', http: 'http://127.0.0.1:8001' },
  { id: 'b', peer: '127.0.0.1:7002', http: 'http://127.0.0.1:8002' },
  { id: 'c', peer: '127.0.0.1:7003', http: 'http://127.0.0.1:8003' },
]

/** Throws an `Error` that says what would be right. */
export function parseAddress(text: string): Address {
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[^\s:/,]+):(\d{1,5})$/i.exec(text) ?? []
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new Error(`"${text}" should be HOST:PORT, such as 127.0.0.1:7001`)
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

export const formatAddress = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** Reads `ID=HOST:PORT,http://HOST:PORT`, also with `,tcp://HOST:PORT` and `,witness` behind it. */
export function parseMember(text: string): Member {
  const [, id, place, witness] = /^([^=,\s]+)=(.+?)(,witness)?$/.exec(text) ?? []
  if (id === undefined || place === undefined) {
    throw new Error(`"${text}" should be ID=HOST:PORT,http://HOST:PORT`)
  }
  return { id, ...parsePlace(place), ...(witness !== undefined && { isWitness: true }) }
}

/** Reads `HOST:PORT,http://HOST:PORT`, also with `,tcp://HOST:PORT` behind it, or with spaces between them. */
export function parsePlace(text: string): Place {
  const [, peer, http, clients] =
    /^([^,\s]+)[,\s]+([^,\s]+)(?:[,\s]+tcp:\/\/([^,\s]+))?$/.exec(text) ?? []
  if (peer === undefined || http === undefined) {
    throw new Error(`"${text}" should be HOST:PORT,http://HOST:PORT`)
  }
  return {
    ...{ peer: formatAddress(parseAddress(peer)), http: parseServer(http) },
    ...(clients !== undefined && { clients: formatAddress(parseAddress(clients)) }),
  }
}

/** A place as the cluster's configuration keeps it. */
export const formatPlace = ({ peer, http, clients }: Place): string =>
  `${peer} ${http}${clients === undefined ? '' : ` tcp://${clients}`}`

/** Where a member is, when the configuration knows. */
export function placeOf({ addresses }: Members, id: NodeId): Place | undefined {
  try {
    return parsePlace(addresses[id] ?? '')
  } catch {
    return undefined
  }
}

/** Reads `http://HOST:PORT`, or `HOST:PORT` alone. */
export function parseServer(text: string): string {
  return `http://${formatAddress(parseAddress(text.replace(/^http:\/\//, '').replace(/\/$/, '')))}`
}
