import type { Socket } from 'node:net'

/** How many strangers may be in a handshake at a time, and how many of them from one address. */
const MAX_STRANGERS = 128
const MAX_STRANGERS_PER_HOST = 32

/** Those who have connected and not yet proved who they are. */
export class Porch {
  readonly #strangers = new Map<string, Socket>()
  readonly #perHost = new Map<string, number>()

  /** Whether there is still room for `socket`. */
  admit(socket: Socket): boolean {
    const { remoteAddress: host } = socket
    if (host === undefined) return false
    const count = this.#perHost.get(host) ?? 0
    if (this.#strangers.size >= MAX_STRANGERS || count >= MAX_STRANGERS_PER_HOST) return false
    const key = nameOf(socket)
    this.#strangers.set(key, socket)
    this.#perHost.set(host, count + 1)
    socket.once('close', () => {
      if (this.#strangers.get(key) === socket) this.#remove(key, host)
    })
    return true
  }

  /** What takes the socket, or the one below it, off the porch. */
  releaser(socket: Socket): () => void {
    const key = nameOf(socket)
    const host = socket.remoteAddress ?? ''
    return () => this.#remove(key, host)
  }

  /** Sends everybody away. */
  clear(): void {
    for (const socket of this.#strangers.values()) socket.destroy()
  }

  #remove(key: string, host: string): void {
    if (!this.#strangers.delete(key)) return
    const count = this.#perHost.get(host)! - 1
    if (count > 0) this.#perHost.set(host, count)
    else this.#perHost.delete(host)
  }
}

/** The same for a TLS socket and for the one below it; no two live connections of a listener share it. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress}|${remotePort}`
