import { connect as dial, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws'
import { connect, type Client, type ConnectOptions } from '../../../adapters/client.ts'
import { clientsOf, SERVICE } from '../../../adapters/client/codes.ts'
import { serveClients, type ServeClientsOptions } from '../../../adapters/client/server.ts'
import { SUBPROTOCOL } from '../../../adapters/client/webSocketWire.ts'
import { serveWebSockets, type ServeWebSocketsOptions } from '../../../adapters/client/websocket.ts'
import { memory } from '../../../adapters/storage/memory.ts'
import { network } from '../../../adapters/transport/memory.ts'
import type { Notice } from '../../../lib/storage.ts'
import {
  raft,
  type Machine,
  type RaftNode,
  type RaftOptions,
} from '../../../operators/engine/index.ts'
import { Stranger } from '../transport/stranger.ts'

/** Counts, and says how far it has come. 1000 is too much for it. */
const counter: Machine<number, number, string, string, number> = {
  initial: 0,
  apply: (count, by) => {
    if (by === 1000) throw new Error('too much')
    return [count + by, `counted to ${count + by}`]
  },
  query: (count) => count,
}

type Node = RaftNode<number, string, string, number>

export interface Site {
  readonly id: string
  readonly node: Node
  /** Where it listens to clients. */
  readonly address: string
  readonly notices: readonly Notice[]
  /** Stops the server at once, as a crash would. Its disk is lost. */
  stop(): void
}

type Options = Partial<ServeClientsOptions<number, string, string>> &
  Partial<Omit<ServeWebSocketsOptions<number, string, string>, 'server'>>
type Connect = Partial<ConnectOptions<number, number, string, string, number>>

type WireName = 'tcp' | 'ws'

let wireName: WireName = 'tcp'

/** Everything that follows goes over this wire. */
export function useWire(name: WireName): void {
  wireName = name
}

/** A cluster of counters in this process, each with a port for clients. */
export class Sites {
  readonly all: Site[] = []

  /** Waits until one leads. */
  static async open(
    ids = 'abc',
    options: Options | ((id: string) => Options) = {},
    more: Partial<RaftOptions<number, number, string, string, number>> = {},
  ): Promise<Sites> {
    const sites = new Sites()
    const net = network()
    onTestFinished(() => sites.all.forEach((site) => site.stop()))
    for (const id of ids) {
      const node = raft({
        ...{ id, members: [...ids], machine: counter, transport: net.join(id), storage: memory() },
        ...{ heartbeat: 20, electionTimeout: [100, 200], ...more },
      })
      sites.all.push(await site(node, typeof options === 'function' ? options(id) : options))
    }
    await sites.leader()
    return sites
  }

  get addresses(): string[] {
    return this.all.map(({ address }) => address)
  }

  leader(): Promise<Site> {
    return eventually(() => this.all.find(({ node }) => leads(node)))
  }

  async follower(): Promise<Site> {
    const { id } = await this.leader()
    return this.all.find((it) => it.id !== id)!
  }

  client(options: Connect = {}): Client<number, string, string, number> {
    return clientOf({ servers: this.addresses, ...options })
  }
}

/** A client that is closed when the test is over. */
export function clientOf(
  options: Connect & { servers: readonly string[] },
): Client<number, string, string, number> {
  const client = connect({ cluster: 'shop', machine: counter, WebSocket, ...options })
  onTestFinished(() => client.close())
  return client
}

async function site(node: Node, options: Options): Promise<Site> {
  const notices: Notice[] = []
  const port = { cluster: 'shop', listen: '127.0.0.1:0', ...options }
  const notices$ =
    wireName === 'tcp'
      ? serveClients(node, port)
      : serveWebSockets(node, { ...port, WebSocketServer })
  const serving = notices$.subscribe({
    next: (notice) => notices.push(notice),
    error: () => undefined,
  })
  const running = node.connect()
  const said = await eventually(() => notices.find(({ code }) => code === 'listening'))
  const where = /\S+$/.exec(said.message)![0]
  const address = wireName === 'tcp' ? where : `ws://${where}/clients`
  const stop = (): void => {
    serving.unsubscribe()
    running.unsubscribe()
  }
  return { id: node.id, node, address, notices, stop }
}

function leads({ status$ }: Node): boolean {
  let isLeading = false
  const next = ({ role }: { readonly role: string }): boolean => (isLeading = role === 'leader')
  status$
    .subscribe({ next, error: () => undefined, complete: () => (isLeading = false) })
    .unsubscribe()
  return isLeading
}

/** The first value that there is; asked again and again until then. */
export async function eventually<T>(find: () => T | undefined, ms = 10_000): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const found = find()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${String(find)}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** What a client says first. */
export const HELLO = { cluster: clientsOf('shop'), from: 'x', to: SERVICE }

/** A stranger on the port of a server. */
export function strangerAt({ address }: Pick<Site, 'address'>): Stranger {
  if (address.startsWith('ws')) {
    const socket = new WebSocket(address, [SUBPROTOCOL])
    const stream = createWebSocketStream(socket)
    socket.on('close', () => stream.destroy())
    return new Stranger(stream as unknown as Socket)
  }
  const [host, port] = address.split(':') as [string, string]
  return new Stranger(dial(Number(port), host))
}

/** A wire to a server that can be cut, and swallow what comes back. */
export class Wire {
  isDeaf = false
  /** Bytes that come back before the connection is cut, the last of them in the middle of whatever it is. */
  cutAfter = Infinity
  connections = 0
  readonly #pairs: (readonly [Socket, Socket])[] = []

  private constructor(readonly address: string) {}

  static async to(address: string): Promise<Wire> {
    const [place, host, port] = /([\d.]+):(\d+)/.exec(address)! as unknown as [
      string,
      string,
      string,
    ]
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const own = `127.0.0.1:${(server.address() as { port: number }).port}`
    const wire = new Wire(address.replace(place, own))
    server.on('connection', (near) => wire.#join(near, dial(Number(port), host)))
    onTestFinished(() => {
      server.close()
      wire.cut()
    })
    return wire
  }

  /** Ends every connection; new ones can be made. */
  cut(): void {
    for (const [near, far] of this.#pairs.splice(0)) {
      near.destroy()
      far.destroy()
    }
  }

  #join(near: Socket, far: Socket): void {
    this.connections++
    this.#pairs.push([near, far])
    near.on('error', () => undefined).on('close', () => far.destroy())
    far.on('error', () => undefined).on('close', () => near.destroy())
    near.on('data', (chunk) => far.write(chunk))
    let left = this.cutAfter
    far.on('data', (chunk: Buffer) => {
      if (this.isDeaf) return
      near.write(chunk.subarray(0, left))
      left -= chunk.length
      if (left < 0) near.end()
    })
  }
}
