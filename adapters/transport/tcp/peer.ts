import {
  BehaviorSubject,
  catchError,
  filter,
  map,
  merge,
  of,
  Subject,
  take,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs'
import type { Envelope, Message } from '../../../lib/messages.ts'
import { noteChecksum } from '../../checksums.ts'
import { decode, headLength, bodyLength, unsendable } from '../codec.ts'
import { malformed, type Malformed } from '../malformed.ts'
import { Failure, named } from './failure.ts'
import { frame, type Frame } from './frame.ts'
import type { Session } from './handshake.ts'
import { decodeNumber, encodeNumber } from './hello.ts'
import type { Report } from './notices.ts'
import { Outbox } from './outbox.ts'
import { Sheet } from './sheet.ts'

/** Bytes that a socket is given before it has sent what it was given. */
const SOCKET_BYTES = 1024 * 1024

/** Bytes kept for a peer that is not there: what is old is useless to it. */
const ABSENT_BYTES = 64 * 1024

/** `queueMicrotask` makes a resource for asynchronous hooks each time, a promise does not. */
const done = Promise.resolve()

/** Silences, each a quarter of the idle timeout, after which a connection counts as dead. */
export const SILENCES = 4

/** What a peer needs of the server to which it belongs. */
export interface Host {
  readonly id: string
  readonly maxFrameBytes: number
  readonly maxQueueBytes: number
  /** Milliseconds for an old connection to answer when another claims to replace it. */
  readonly probeTimeout: number
  readonly scheduler: SchedulerLike
  readonly report: Report
  readonly emit: (envelope: Envelope) => void
  /** Numbers the connections that this end opens, whoever is at the other: each is greater than the last. */
  readonly nextNumber: () => number
}

/** Another server, as this one sees it: the connection with it, if there is one, and what waits for it. */
export class Peer {
  /** Whether this end opens the connections with the peer: the smaller id does. */
  readonly isOpenedHere: boolean

  readonly #outbox = new Outbox()
  readonly #sheet = new Sheet()
  readonly #isUp$ = new BehaviorSubject(false)
  readonly #pongs$ = new Subject<number>()
  #session: Session | undefined
  #incarnation: string | undefined
  #probes = 0
  #isFlushing = false
  #received = 0
  #silences = 0

  constructor(
    readonly id: string,
    /** Whether it was known in advance. */
    readonly isNamed: boolean,
    private readonly host: Host,
  ) {
    this.isOpenedHere = host.id < id
  }

  /** Whether there is a connection, replayed. */
  get isUp$(): Observable<boolean> {
    return this.#isUp$
  }

  get isUp(): boolean {
    return this.#session !== undefined
  }

  /** The number of the next connection that this end opens. */
  nextNumber(): number {
    return this.host.nextNumber()
  }

  /** Sends a message with everything else of this turn, or as soon as it can be sent. */
  post(message: Message): void {
    const fault = unsendable(message) ?? this.#tooLong(message)
    if (fault !== undefined) {
      this.host.report('bad-message', `to ${named(this.id)}, not sent: ${fault}`, this.id)
      return
    }
    const { maxQueueBytes } = this.host
    const limit = this.#session ? maxQueueBytes : Math.min(maxQueueBytes, ABSENT_BYTES)
    const dropped = this.#outbox.push(message, limit)
    if (this.#session === undefined) return
    if (dropped > 0) {
      const words = `over ${limit} bytes wait for ${named(this.id)}: the oldest messages are dropped`
      this.host.report('queue-overflow', words, this.id)
    }
    if (this.#isFlushing) return
    this.#isFlushing = true
    void done.then(this.#flush)
  }

  /**
   * Whether another connection of the peer may take the place of the present one: always when it is of
   * the same incarnation, and otherwise when the present one does not answer any more. Emits once, or
   * errors with `Failure`.
   */
  admit(incarnation: string): Observable<unknown> {
    const session = this.#session
    if (session === undefined || session.incarnation === incarnation) return of(true)
    return this.#isAlive(session).pipe(
      map((isAlive) => {
        if (isAlive) {
          throw new Failure('peer-refused', `another ${named(this.id)} is connected and alive`)
        }
        session.connection.close(
          new Failure('peer-disconnected', 'it does not answer, and its successor is here'),
        )
      }),
    )
  }

  /** Makes the connection the one with this peer, in place of an older one. */
  establish(session: Session): void {
    const { connection, incarnation, number } = session
    const old = this.#session
    if (old !== undefined) {
      const isStale = old.incarnation !== incarnation || old.number >= number
      const loser = isStale ? session : old
      if (!isStale) this.#session = undefined
      loser.connection.close(new Failure('peer-disconnected', 'a newer connection replaces it'))
      if (isStale) return
    }
    // What waited for an earlier run of the peer means nothing to this one.
    if (this.#incarnation !== undefined && this.#incarnation !== incarnation) this.#outbox.clear()
    this.#incarnation = incarnation
    this.#session = session
    this.#received = this.#silences = 0
    connection.trust(this.host.maxFrameBytes)
    connection.receive = (next) => this.#take(session, next)
    connection.end$.subscribe({
      error: (reason: unknown) => this.#lose(session, reason as Failure),
    })
    connection.socket.on('drain', this.#flush)
    const remark = this.isNamed ? '' : ', which `peers` does not name'
    this.host.report('peer-connected', `connected with ${named(this.id)}${remark}`, this.id)
    this.#isUp$.next(true)
    this.#flush()
  }

  /** To be called four times in each idle timeout: asks a silent peer whether it is there. */
  tick(): void {
    const connection = this.#session?.connection
    if (connection === undefined) return
    if (connection.received !== this.#received) {
      this.#received = connection.received
      this.#silences = 0
    } else if (++this.#silences > SILENCES) {
      connection.close(new Failure('peer-disconnected', 'it has been silent for too long'))
    } else connection.write(frame('ping', encodeNumber(0)))
  }

  /** Ends the connection without a word, and with it everything of this peer. */
  close(): void {
    const session = this.#session
    this.#session = undefined
    session?.connection.close(new Failure('peer-disconnected', 'this server closes the connection'))
    this.#outbox.clear()
  }

  #lose(session: Session, reason: Failure): void {
    if (this.#session !== session) return
    this.#session = undefined
    this.#outbox.clear()
    this.#report(reason)
    this.#isUp$.next(false)
  }

  #report({ code, message, cause }: Failure): void {
    this.host.report(code, `lost ${named(this.id)}: ${message}`, this.id, cause)
  }

  #take({ connection }: Session, { type, head, body, bodyCrc }: Frame): Malformed | void {
    switch (type) {
      case 'message': {
        const message = decode(head, body)
        if (message.type === 'malformed') return message
        if (message.type === 'append' && message.batches.length === 1) {
          noteChecksum(message.batches[0]!.bytes, bodyCrc)
        }
        this.host.emit({ from: this.id, to: this.host.id, message })
        return
      }
      case 'ping':
      case 'pong': {
        const number = decodeNumber(head)
        if (number < 0) return malformed(`a ${type} without a number`)
        if (type === 'pong') this.#pongs$.next(number)
        // Who asks and never reads gets no answers, which would pile up.
        else if (connection.socket.writableLength < 2 * SOCKET_BYTES) {
          connection.write(frame('pong', encodeNumber(number)))
        }
        return
      }
      default:
        return malformed(`a frame of type ${type} on an open connection`)
    }
  }

  /** Whether the connection answers a question that was asked just now. */
  #isAlive({ connection }: Session): Observable<boolean> {
    const { probeTimeout, scheduler } = this.host
    const number = ++this.#probes
    const answered$ = this.#pongs$.pipe(filter((pong) => pong === number))
    const gone$ = connection.end$.pipe(catchError(() => of(false)))
    connection.write(frame('ping', encodeNumber(number)))
    return merge(
      answered$.pipe(map(() => true)),
      gone$,
      timer(probeTimeout, scheduler).pipe(map(() => false)),
    ).pipe(take(1))
  }

  #tooLong(message: Message): string | undefined {
    const length = headLength(message) + bodyLength(message)
    const { maxFrameBytes } = this.host
    return length > maxFrameBytes
      ? `${length} bytes, over maxFrameBytes ${maxFrameBytes}`
      : undefined
  }

  readonly #flush = (): void => {
    this.#isFlushing = false
    const connection = this.#session?.connection
    if (connection === undefined) return
    const room = SOCKET_BYTES - connection.socket.writableLength
    while (!this.#outbox.isEmpty && this.#sheet.bytes < room) {
      this.#sheet.add(this.#outbox.shift()!)
    }
    connection.write(...this.#sheet.take())
  }
}
