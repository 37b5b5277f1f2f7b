import { connect, createServer, type Server, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { Malformed } from '../../../adapters/transport/malformed.ts'
import { frame, FrameReader, type Frame } from '../../../adapters/transport/tcp/frame.ts'
import {
  decodeNumber,
  decodeText,
  encodeHello,
  encodeNumber,
  type Hello,
} from '../../../adapters/transport/tcp/hello.ts'
import { Sheet } from '../../../adapters/transport/tcp/sheet.ts'
import type { Message } from '../../../lib/messages.ts'
import { until } from './station.ts'

/** Somebody on a socket who says what he likes, byte for byte. */
export class Stranger {
  readonly frames: (Frame | Malformed)[] = []
  bytes = 0
  isClosed = false
  /** Whether pings are answered, as a living peer does. */
  answers = true

  constructor(readonly socket: Socket) {
    const reader = new FrameReader(1 << 28)
    socket.on('error', () => undefined)
    socket.on('close', () => (this.isClosed = true))
    socket.on('data', (chunk: Uint8Array) => {
      this.bytes += chunk.length
      reader.push(chunk)
      for (let next = reader.next(); next !== undefined; next = reader.next()) {
        this.frames.push(next.type === 'malformed' ? next : { ...next, head: next.head.slice() })
        if (next.type === 'malformed') return
        if (next.type === 'ping' && this.answers) this.write(frame('pong', next.head.slice()))
      }
    })
  }

  write(...pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.socket.write(piece)
  }

  say(hello: Partial<Hello>): void {
    this.write(frame('hello', encodeHello({ ...HELLO, ...hello })))
  }

  welcome(hello: Partial<Hello>): void {
    this.write(frame('welcome', encodeHello({ ...HELLO, ...hello })))
  }

  send(...messages: readonly Message[]): void {
    const sheet = new Sheet()
    for (const message of messages) sheet.add(message)
    this.write(...sheet.take())
  }

  open(number: number): void {
    this.write(frame('open', encodeNumber(number)))
  }

  /** The number of the connection that the other end opened. */
  async opened(): Promise<number> {
    const open = await this.said('open')
    return decodeNumber(open.head)
  }

  /** The first frame of this type. */
  said(type: Frame['type']): Promise<Frame> {
    const isIt = (it: Frame | Malformed): it is Frame => it.type === type
    return until(
      () => this.frames.find(isIt),
      `a frame of type ${type}`,
      () => this.frames,
    )
  }

  async refused(): Promise<string> {
    return decodeText((await this.said('refuse')).head)!
  }

  async closed(): Promise<void> {
    await until(() => this.isClosed, 'the connection to be closed')
  }

  leave(): void {
    this.socket.destroy()
  }
}

/** What `b` says to `a`. */
const HELLO: Hello = { cluster: 'spec', from: 'b', to: 'a', incarnation: 'stranger' }

export const ping = (number = 0): Uint8Array => frame('ping', encodeNumber(number))

export async function strangerAt(address: string): Promise<Stranger> {
  const socket = connect({ host: '127.0.0.1', port: Number(address.split(':')[1]) })
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return new Stranger(socket)
}

/** A client of TLS that is as little careful as can be. */
export async function tlsStrangerAt(at: string, options: ConnectionOptions): Promise<Stranger> {
  const socket = connectTls({
    host: '127.0.0.1',
    port: Number(at.split(':')[1]),
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ALPNProtocols: ['rxraft/1'],
    ...options,
  })
  const stranger = new Stranger(socket)
  await until(() => socket.authorized || socket.getProtocol() !== null || stranger.isClosed, 'TLS')
  return stranger
}

/** A wire between a port of its own and another, which can be cut without a word to either end. */
export class Wire {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Everything that the dialling ends said. */
  readonly recorded: Buffer[] = []
  #isFrozen = false

  constructor(port: number, target: number) {
    this.#server = createServer((near) => {
      const far = connect(target, '127.0.0.1')
      this.#join(near, far, (chunk) => this.recorded.push(chunk))
      this.#join(far, near)
    }).listen(port, '127.0.0.1')
  }

  /** From now on nothing passes, and no end hears that the other has gone. */
  freeze(): void {
    this.#isFrozen = true
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #join(from: Socket, to: Socket, record?: (chunk: Buffer) => void): void {
    this.#sockets.add(from)
    from.on('data', (chunk: Buffer) => {
      record?.(chunk)
      if (!this.#isFrozen) to.write(chunk)
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      if (!this.#isFrozen) to.destroy()
    })
  }
}
