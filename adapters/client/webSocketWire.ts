import { interval, Subscription, timer, type SchedulerLike } from 'rxjs'
import type { Wire } from '../transport/tcp/connection.ts'
import { Failure } from '../transport/tcp/failure.ts'

/** The protocol's name in the handshake of a WebSocket: another version has another name. */
export const SUBPROTOCOL = 'rxraft.1'

/**
 * Longest message, in bytes. Messages only carry the stream of frames: a frame that is longer takes several, so that
 * nobody has to take memory for more before it is known who speaks.
 */
export const MESSAGE_BYTES = 64 * 1024

/** What is used of a WebSocket: that of browsers has it, and so have that of Node 22 and that of the package `ws`. */
export interface WebSocketLike {
  binaryType: string
  readonly bufferedAmount: number
  readonly protocol: string
  send(bytes: Uint8Array): void
  close(code?: number, reason?: string): void
  addEventListener(
    type: 'open' | 'message' | 'error' | 'close',
    listener: (event: object) => void,
  ): void
  /** Only `ws` has the others. */
  terminate?(): void
  pause?(): void
  resume?(): void
}

/** What is below the WebSocket of a server. */
export interface Below {
  readonly writableLength: number
  on(event: 'drain', listener: () => void): unknown
}

/** Bytes on their way, at most, when a browser's socket counts as drained, which says nothing of it itself. */
const DRAINED_BYTES = 64 * 1024

/** Milliseconds between two looks at it. */
const LOOK = 10

type Listener = (what: never) => void

/** A WebSocket that is open, in the clothes of a socket: binary messages, end to end, are the stream. */
export class WebSocketWire implements Wire {
  readonly #listeners: [event: string, listener: Listener][] = []
  readonly #life = new Subscription()
  #isWatched = false

  constructor(
    private readonly socket: WebSocketLike,
    private readonly scheduler: SchedulerLike,
    private readonly below?: Below,
  ) {
    socket.addEventListener('message', (event) => this.#hear((event as { data?: unknown }).data))
    socket.addEventListener('error', (event) => this.#emit('error', failureIn(event)))
    socket.addEventListener('close', () => {
      this.#life.unsubscribe()
      this.#emit('close', undefined)
    })
    below?.on('drain', () => this.#emit('drain', undefined))
  }

  get writableLength(): number {
    return this.below?.writableLength ?? this.socket.bufferedAmount
  }

  on(event: string, listener: Listener): void {
    this.#listeners.push([event, listener])
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += MESSAGE_BYTES) {
      this.socket.send(bytes.subarray(at, at + MESSAGE_BYTES))
    }
    if (this.below === undefined && this.writableLength > DRAINED_BYTES) this.#watch()
  }

  /** Every piece is a message of its own anyway. */
  cork(): void {}

  uncork(): void {}

  pause(): void {
    this.socket.pause?.()
  }

  resume(): void {
    this.socket.resume?.()
  }

  destroy(): void {
    this.#life.unsubscribe()
    if (this.socket.terminate === undefined) this.socket.close()
    else this.socket.terminate()
  }

  destroySoon(): void {
    this.socket.close(1000)
  }

  setTimeout(ms: number, listener: () => void): void {
    this.#life.add(timer(ms, this.scheduler).subscribe(listener))
  }

  #hear(data: unknown): void {
    if (data instanceof ArrayBuffer) this.#emit('data', new Uint8Array(data))
    else if (data instanceof Uint8Array) this.#emit('data', data)
    else this.#emit('error', new Failure('bad-frame', 'a message of text'))
  }

  #watch(): void {
    if (this.#isWatched) return
    this.#isWatched = true
    const looks = interval(LOOK, this.scheduler).subscribe(() => {
      if (this.writableLength > DRAINED_BYTES) return
      looks.unsubscribe()
      this.#isWatched = false
      this.#emit('drain', undefined)
    })
    this.#life.add(looks)
  }

  #emit(event: string, what: unknown): void {
    for (const [name, listener] of this.#listeners) if (name === event) listener(what as never)
  }
}

/** A browser says nothing of what went wrong; `ws` says what is no WebSocket. */
export function failureIn(event: object): Failure {
  const { message = '', error } = event as { message?: string; error?: { code?: unknown } }
  const isMalformed = String(error?.code).startsWith('WS_ERR_')
  const code = isMalformed ? 'bad-frame' : 'peer-disconnected'
  return new Failure(code, message || 'the WebSocket has failed', { cause: error })
}
