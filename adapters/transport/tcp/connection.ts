import { Observable } from 'rxjs'
import type { Slab } from '../../../lib/slab.ts'
import { malformed, type Malformed } from '../malformed.ts'
import { Failure } from './failure.ts'
import { FrameReader, frame, type Frame } from './frame.ts'

/** Longest frame from somebody who has not been let in. */
const STRANGER_BYTES = 64 * 1024

/** Milliseconds that the other end gets to read why it is refused. */
const PARTING_MS = 1_000

/** What a connection needs of a socket. That of `node:net` has it. */
export interface Wire {
  /** Bytes that the system has not been given yet. */
  readonly writableLength: number
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  on(event: 'error', listener: (cause: Error) => void): unknown
  on(event: 'end' | 'close' | 'drain', listener: () => void): unknown
  write(bytes: Uint8Array): unknown
  /** Keeps what is written together until `uncork`. */
  cork(): void
  uncork(): void
  pause(): unknown
  resume(): unknown
  destroy(): unknown
  /** When everything is written. */
  destroySoon(): void
  /** After a silence of so many ms. */
  setTimeout(ms: number, listener: () => void): unknown
}

/** Takes the next frame, and says what is wrong with it. */
export type Receiver = (frame: Frame) => Malformed | void

const unexpected: Receiver = ({ type }) => malformed(`a frame of type ${type} is out of place here`)

/** A socket that speaks in frames. It ends once, for one reason, and nothing is heard of it after that. */
export class Connection {
  /** Who takes the frames. Changing it takes effect with the next frame. */
  receive: Receiver = unexpected
  /** Bytes that have arrived. */
  received = 0

  readonly #reader: FrameReader
  readonly #listeners = new Set<(reason: Failure) => void>()
  #end: Failure | undefined

  constructor(
    readonly socket: Wire,
    /** Where the bodies of frames stay. */
    bodies?: Slab,
  ) {
    this.#reader = new FrameReader(STRANGER_BYTES, bodies)
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', (cause) =>
      this.close(cause instanceof Failure ? cause : disconnected(cause.message, cause)),
    )
    socket.on('end', () => this.close(disconnected('the other end closed the connection')))
    socket.on('close', () => this.close(disconnected('the connection is closed')))
  }

  get isOpen(): boolean {
    return this.#end === undefined
  }

  /** Errors with the reason when the connection ends, or at once if it has. */
  readonly end$: Observable<never> = new Observable((subscriber) => {
    if (this.#end !== undefined) {
      subscriber.error(this.#end)
      return
    }
    const listener = (reason: Failure): void => subscriber.error(reason)
    this.#listeners.add(listener)
    subscriber.add(() => this.#listeners.delete(listener))
  })

  /** The next frame, which nobody else gets. What comes after it is out of place until somebody asks. */
  readonly next$: Observable<Frame> = new Observable((subscriber) => {
    this.receive = (next) => {
      this.receive = unexpected
      subscriber.next(next)
      subscriber.complete()
    }
  })

  /** Lets frames of up to `bytes` in: whoever sends them is known by now. */
  trust(bytes: number): void {
    this.#reader.limit = bytes
  }

  /** Hands the pieces to the system in one call. */
  write(...pieces: readonly Uint8Array[]): void {
    if (!this.isOpen || pieces.length === 0) return
    if (pieces.length === 1) {
      this.socket.write(pieces[0]!)
      return
    }
    this.socket.cork()
    for (const piece of pieces) this.socket.write(piece)
    this.socket.uncork()
  }

  /** Ends the connection, if it has not ended. */
  close(reason: Failure): void {
    if (!this.isOpen) return
    this.#finish(reason)
    this.socket.destroy()
  }

  /** Says why, and ends the connection. */
  refuse(reason: Failure): void {
    if (!this.isOpen) return
    this.write(frame('refuse', new TextEncoder().encode(reason.message.slice(0, 300))))
    this.#finish(reason)
    this.socket.setTimeout(PARTING_MS, () => this.socket.destroy())
    this.socket.destroySoon()
  }

  #finish(reason: Failure): void {
    this.#end = reason
    for (const listener of this.#listeners) listener(reason)
  }

  #read(chunk: Uint8Array): void {
    this.received += chunk.length
    this.#reader.push(chunk)
    while (this.isOpen) {
      const next = this.#reader.next()
      if (next === undefined) return
      const fault = next.type === 'malformed' ? next : this.receive(next)
      if (fault) this.close(new Failure('bad-frame', fault.reason))
    }
  }
}

const disconnected = (message: string, cause?: Error): Failure =>
  new Failure('peer-disconnected', message, { cause })
