import { connectBy, type Client, type ConnectOptions } from './client/connect.ts'
import { overTcp } from './client/overTcp.ts'
import { overWebSocket } from './client/overWebSocket.ts'

export * from './client/face.ts'

/**
 * Connects a program outside the cluster, over one connection to each server that `serveClients` or `serveWebSockets` serves.
 *
 * ```ts
 * const client = connect({ servers: ['127.0.0.1:9001'], cluster: 'shop', machine: counter })
 * client.propose(1).subscribe(({ result }) => console.log(result))
 * ```
 *
 * Throws `ConfigError`.
 */
export function connect<S, C, R, Q, A>(options: ConnectOptions<S, C, R, Q, A>): Client<C, R, Q, A> {
  return connectBy(options, (party) => {
    const [web, tcp] = [overWebSocket(party, options.WebSocket), overTcp(party)]
    return (address) => web(address) ?? tcp(address)
  })
}
