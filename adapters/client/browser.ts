import { connectBy, type Client, type ConnectOptions } from './connect.ts'
import { overWebSocket } from './overWebSocket.ts'

export * from './face.ts'

/** `connect` of `rxraft/client` as a browser has it: over WebSockets, and without anything of Node. */
export function connect<S, C, R, Q, A>(options: ConnectOptions<S, C, R, Q, A>): Client<C, R, Q, A> {
  return connectBy(options, (party) => overWebSocket(party, options.WebSocket))
}
