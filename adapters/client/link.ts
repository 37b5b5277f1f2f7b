import { concatMap, defer, repeat, retry, Subscription, tap, timer, type Observable } from 'rxjs'
import type { RaftError } from '../../lib/errors.ts'
import type { Index, Term } from '../../lib/types.ts'
import { decodingWithin, type Codec } from '../../operators/codec.ts'
import { Numbered } from '../../operators/numbered.ts'
import { malformed, type Malformed } from '../transport/malformed.ts'
import { backoff } from '../transport/tcp/backoff.ts'
import type { Connection } from '../transport/tcp/connection.ts'
import { Failure } from '../transport/tcp/failure.ts'
import { frame, type Frame } from '../transport/tcp/frame.ts'
import { encodeNumber } from '../transport/tcp/hello.ts'
import { ASK, ASK_HEAD_BYTES, TELL } from './codes.ts'
import { Cursor } from './cursor.ts'
import { heard } from './failures.ts'
import type { Party } from './party.ts'
import { Sheaf } from './sheaf.ts'
import type { Met, Way } from './way.ts'

/** Who leads, as a server says. */
export interface Claim {
  readonly term: Term
  /** Empty when none is known. */
  readonly id: string
  readonly address: string
}

/** What is asked on a link, until it is answered or the link is lost. */
export interface Asked {
  /** Whose command it is, for a command. */
  readonly session?: Head | undefined
  /** Writes its item. */
  readonly write: (sheaf: Sheaf, id: number) => void
  readonly applied?: (result: unknown, index: Index, term: Term) => void
  readonly answered?: (answer: unknown) => void
  readonly opened?: (index: Index, term: Term) => void
  readonly told?: (bytes: Uint8Array, index: Index, isLastOfEntry: boolean) => void
  /** Everything before this index was told. */
  readonly reached?: (index: Index) => void
  readonly failed: (error: RaftError) => void
  /** No answer will come: the link is lost, or another server leads. */
  readonly dropped?: () => void
}

/** The session of the commands in a frame, and the number below which none will be asked for again. */
export interface Head {
  readonly index: Index
  readonly term: Term
  readonly lowest: number
}

const NO_SESSION: Head = { index: 0, term: 0, lowest: 0 }

/** Who hears of a link. */
export interface LinkOwner {
  /** It is open, or has a new claim. */
  readonly changed: () => void
  /** It ended, or could not be made, with what was under way on it. */
  readonly lost: (reason: Failure, asked: readonly Asked[]) => void
  /** There is room for more. */
  readonly drained: () => void
}

/** How a server writes what came of commands, and everything else. */
export interface Codecs {
  readonly results: Codec<unknown>
  readonly values: Codec<unknown>
}

type Read = Required<Codec<unknown>>['decodeWithin']

const UNREADABLE = Symbol('unreadable')

/** Bytes that are not sent yet, beyond which nothing more is asked. */
const UNSENT_BYTES = 4 * 1024 * 1024

/** Silences, each a quarter of the idle timeout, after which a connection counts as dead. */
export const SILENCES = 4

/** The connection with one server, dialled again whenever it is lost. */
export class Link {
  /** The server's id, once it is known. */
  id = ''
  claim: Claim | undefined
  /** Why the latest attempt failed. */
  failure: Failure | undefined
  readonly #life = new Subscription()
  readonly #asked = new Numbered<Asked>()
  readonly #readResult: Read
  readonly #readAnswer: Read
  #connection: Connection | undefined
  #sheaf = new Sheaf(ASK_HEAD_BYTES)
  /** Whose commands are in the open frame. */
  #session: Head | undefined
  #isFlushing = false
  #nextId = 1
  #received = 0
  #silences = 0
  #attempt = 0

  constructor(
    readonly way: Way,
    private readonly config: Party,
    private readonly codecs: Codecs,
    private readonly owner: LinkOwner,
  ) {
    this.#readResult = decodingWithin(codecs.results)
    this.#readAnswer = decodingWithin(codecs.values)
  }

  get isOpen(): boolean {
    return this.#connection !== undefined && this.claim !== undefined
  }

  /** Whether the server says that it leads. */
  get isLeading(): boolean {
    return this.isOpen && this.claim!.id !== '' && this.claim!.id === this.id
  }

  /** Whether nothing more should be asked for now. */
  get isFull(): boolean {
    const unsent = this.#connection?.socket.writableLength ?? 0
    return unsent + this.#sheaf.size > UNSENT_BYTES
  }

  start(): void {
    const { backoff: range, random, scheduler } = this.config
    const pause = () => timer(backoff(++this.#attempt, range, random), scheduler)
    const dial$ = defer(() => this.#dial()).pipe(
      tap({ error: (cause: unknown) => this.#lost(asFailure(cause)) }),
      retry({ delay: pause }),
      repeat({ delay: pause }),
    )
    this.#life.add(dial$.subscribe())
  }

  stop(): void {
    this.#life.unsubscribe()
    this.#connection?.close(new Failure('peer-disconnected', 'the client is closed'))
    this.#connection = undefined
  }

  ask(asked: Asked): number {
    const id = this.#nextId
    this.#nextId = id === 0xffff_ffff ? 1 : id + 1
    this.#asked.set(id, asked)
    this.write(asked, id)
    return id
  }

  /** Writes an item, to be sent with all others of this turn. */
  write(asked: Pick<Asked, 'write' | 'session'>, id: number): void {
    const { session } = asked
    const isOfAnother = session !== undefined && session !== (this.#session ?? session)
    if (isOfAnother || this.#sheaf.isFull) this.#flush()
    if (session !== undefined) this.#session = session
    asked.write(this.#sheaf, id)
    if (this.#isFlushing) return
    this.#isFlushing = true
    queueMicrotask(() => {
      this.#isFlushing = false
      this.#flush()
    })
  }

  /** Nobody waits for it any more: the server may stop, too. */
  cancel(id: number): void {
    if (this.#asked.take(id) === undefined) return
    this.write({ write: (sheaf) => sheaf.item(ASK.cancel, id, 0) }, id)
  }

  /** Takes back all that is under way: answers to it are not heard any more. */
  takeBack(): Asked[] {
    const asked = [...this.#asked].map(([, it]) => it)
    if (this.isOpen) {
      for (const [id, { told }] of this.#asked) if (told !== undefined) this.cancel(id)
    }
    this.#asked.clear()
    return asked
  }

  /** To be called four times in each idle timeout. */
  tick(): void {
    const connection = this.#connection
    if (connection === undefined) return
    if (connection.received !== this.#received) {
      this.#received = connection.received
      this.#silences = 0
    } else if (++this.#silences > SILENCES) {
      return connection.close(new Failure('peer-disconnected', 'it has been silent for too long'))
    }
    connection.write(frame('ping', encodeNumber(0)))
  }

  /** A connection, until it ends. */
  #dial(): Observable<never> {
    return this.way.meet().pipe(
      tap((met) => this.#establish(met)),
      concatMap(({ connection }) => connection.end$),
    )
  }

  #establish({ connection, id }: Met): void {
    this.id = id
    this.#connection = connection
    this.#attempt = this.#silences = this.#received = 0
    this.failure = undefined
    this.#sheaf = new Sheaf(ASK_HEAD_BYTES)
    this.#session = undefined
    connection.trust(this.config.maxFrameBytes)
    connection.receive = (next) => this.#take(next)
    connection.socket.on('drain', () => this.owner.drained())
  }

  #lost(reason: Failure): void {
    this.#connection = this.claim = undefined
    this.failure = reason
    this.owner.lost(reason, this.takeBack())
  }

  #take({ type, head, body }: Frame): Malformed | void {
    if (type === 'pong') return undefined
    if (type !== 'message') return malformed(`a frame of type ${type} from a server to its client`)
    if (head.length > 0) return malformed(`a head of ${head.length} bytes`)
    const items = new Cursor(body)
    while (!items.isAtEnd) {
      const fault = this.#hear(items.u8(), items.u32(), items)
      if (fault !== undefined) return malformed(fault)
    }
    return items.isBroken ? malformed('an item is cut off') : undefined
  }

  #hear(code: number, id: number, items: Cursor): string | undefined {
    switch (code) {
      case TELL.applied: {
        const index = items.u53()
        const term = items.u53()
        const result = this.#read(items, this.#readResult)
        if (result === UNREADABLE) return 'a result that cannot be decoded'
        if (!items.isBroken) this.#asked.take(id)?.applied?.(result, index, term)
        return undefined
      }
      case TELL.answer: {
        const answer = this.#read(items, this.#readAnswer)
        if (answer === UNREADABLE) return 'an answer that cannot be decoded'
        if (!items.isBroken) this.#asked.take(id)?.answered?.(answer)
        return undefined
      }
      case TELL.session: {
        const [index, term] = [items.u53(), items.u53()]
        if (!items.isBroken) this.#asked.take(id)?.opened?.(index, term)
        return undefined
      }
      case TELL.told:
      case TELL.part: {
        const [index, bytes] = [items.u53(), items.piece()]
        if (!items.isBroken) this.#asked.get(id)?.told?.(bytes, index, code === TELL.told)
        return undefined
      }
      case TELL.reached: {
        const index = items.u53()
        if (!items.isBroken) this.#asked.get(id)?.reached?.(index)
        return undefined
      }
      case TELL.failed:
        return this.#hearFailure(id, items)
      case TELL.leader:
        return this.#hearClaim(items)
      default:
        return `nothing is told by ${code}`
    }
  }

  #hearFailure(id: number, items: Cursor): string | undefined {
    const bytes = items.piece()
    if (items.isBroken) return undefined
    const error = heard(bytes, this.codecs.values)
    if (error === undefined) return 'an error that is none'
    this.#asked.take(id)?.failed(error)
    return undefined
  }

  #hearClaim(items: Cursor): undefined {
    const term = items.u53()
    const decoder = new TextDecoder()
    const [id, address] = [decoder.decode(items.piece()), decoder.decode(items.piece())]
    if (items.isBroken) return
    this.claim = { term, id, address }
    this.owner.changed()
  }

  #read(items: Cursor, read: Read): unknown {
    try {
      return items.read(read)
    } catch {
      return UNREADABLE
    }
  }

  #flush(): void {
    if (this.#sheaf.size === 0) return
    const { index, term, lowest } = this.#session ?? NO_SESSION
    this.#session = undefined
    this.#connection?.write(this.#sheaf.take(index, term, lowest))
  }
}

const asFailure = (cause: unknown): Failure =>
  cause instanceof Failure ? cause : new Failure('peer-refused', String(cause), { cause })
