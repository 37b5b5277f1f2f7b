import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Connects, as often as it takes until the other process listens. */
export async function reach(port: number): Promise<Socket> {
  for (;;) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    try {
      await once(socket, 'connect')
      return socket
    } catch {
      await new Promise((done) => setTimeout(done, 20))
    }
  }
}
