import { distinctUntilChanged, map, type Observable, type Subscription } from 'rxjs'
import { Overloaded } from '../../lib/errors.ts'
import type { Index, Members, NodeId, Term } from '../../lib/types.ts'
import { msgpack, type Codec } from '../../operators/codec.ts'
import type { Consistency, Leader, RaftNode, Settle } from '../../operators/engine/node.ts'
import { Numbered } from '../../operators/numbered.ts'
import { malformed, type Malformed } from '../transport/malformed.ts'
import type { Connection } from '../transport/tcp/connection.ts'
import { Failure } from '../transport/tcp/failure.ts'
import { frame, type Frame } from '../transport/tcp/frame.ts'
import { ASK, ASK_HEAD_BYTES, CONSISTENCY, TELL } from './codes.ts'
import { Cursor } from './cursor.ts'
import { Rejected } from './errors.ts'
import { tell } from './failures.ts'
import type { Gather } from './gathering.ts'
import { Sheaf } from './sheaf.ts'
import { Tail, type Happened, type Source } from './tail.ts'

export interface CounterOptions<C, Q, R = unknown> {
  /** Where clients find another server, as `HOST:PORT`, so that they need not know all. Default: nobody tells. */
  readonly addressOf?: (id: NodeId, members: Members) => string | undefined
  /** What is wrong with a command that a client sends, `undefined` if nothing is. Default: nothing ever is. */
  readonly checkCommand?: (command: C) => string | undefined
  /**
   * What clients can watch besides commands: from `what` they ask for to a source of it. `from` is the index with which
   * whoever asks for what comes from now on begins. Throws whatever the client is to be told. Default: nothing.
   */
  readonly watch?: (what: unknown) => Source<unknown> & { readonly from: Index }
  /** The same of a question. */
  readonly checkQuestion?: (question: Q) => string | undefined
  /** How results are encoded. Clients must have the same. Default: `msgpack()`. */
  readonly results?: Codec<R>
  /** Requests of one client that may be under way, at least 1; those beyond are `Overloaded`. Default: 16,384. */
  readonly maxRequests?: number
}

/** Bytes that a client has not read yet, beyond which it is not listened to. */
const UNREAD_BYTES = 4 * 1024 * 1024

/** Commands that are read from the log at a time. */
const PIECE = 256

/** Bytes on their way to a client, beyond which nothing more is read for it to follow. */
const FOLLOWED_BYTES = 1024 * 1024

/** Where one client is served. What comes of what it asks goes back in one frame a turn. */
export class Counter<C, R, Q, A> implements Teller<R> {
  readonly #sheaf = new Sheaf()
  readonly #codec: Codec<unknown> = msgpack()
  readonly #asked = new Numbered<Subscription | Tail<unknown>>()
  readonly #life: Subscription
  readonly #results: Codec<R>
  readonly #maxRequests: number
  #members: Members | undefined
  #isFlushing = false
  #open = 0
  #received = -1

  constructor(
    private readonly connection: Connection,
    private readonly node: RaftNode<C, R, Q, A>,
    private readonly options: CounterOptions<C, Q, R>,
    private readonly gather: Gather,
  ) {
    this.#results = options.results ?? msgpack()
    this.#maxRequests = options.maxRequests ?? 16_384
    connection.receive = (next) => this.#take(next)
    connection.socket.on('drain', () => this.#drained())
    this.#life = node.members$.subscribe({
      next: (members) => (this.#members = members),
      error: () => undefined,
    })
    this.#life.add(
      node.leader$.subscribe({ next: (leader) => this.#lead(leader), error: () => undefined }),
    )
  }

  /** To be called once in each idle timeout. */
  tick(): void {
    const { received } = this.connection
    if (received !== this.#received) this.#received = received
    else this.#close('it has been silent for too long')
  }

  /** The server goes. */
  leave(): void {
    this.#close('this server closes the connection')
  }

  /** The connection has ended: what was asked on it needs no answer. */
  close(): void {
    this.#life.unsubscribe()
    for (const [, asked] of this.#asked) asked.unsubscribe()
    this.#asked.clear()
  }

  #close(reason: string): void {
    this.connection.close(new Failure('peer-disconnected', reason))
  }

  #take({ type, head, body }: Frame): Malformed | void {
    if (type === 'ping') return this.#answer(head)
    if (type !== 'message') return malformed(`a frame of type ${type} on a client's connection`)
    if (head.length !== ASK_HEAD_BYTES) return malformed(`a head of ${head.length} bytes`)
    const top = head.slice()
    this.gather(() => {
      const fault = this.connection.isOpen ? this.#read(new Cursor(top), body) : undefined
      if (fault) this.connection.close(new Failure('bad-frame', fault.reason))
    })
  }

  /** Somebody who only asks and does not read gets no answers that would pile up. */
  #answer(ping: Uint8Array): void {
    const { socket } = this.connection
    if (socket.writableLength <= UNREAD_BYTES) this.connection.write(frame('pong', ping.slice()))
  }

  #read(top: Cursor, body: Uint8Array): Malformed | void {
    const named = { session: { index: top.u53(), term: top.u53() }, lowest: top.u53() }
    const items = new Cursor(body)
    while (!items.isAtEnd) {
      const fault = this.#serve(items.u8(), items.u32(), items, named)
      if (fault !== undefined) return malformed(fault)
    }
    if (items.isBroken || top.isBroken) return malformed('an item is cut off')
    if (this.connection.socket.writableLength > UNREAD_BYTES) this.connection.socket.pause()
  }

  #serve(code: number, id: number, items: Cursor, named: Named): string | undefined {
    switch (code) {
      case ASK.session:
        return this.#openSession(id)
      case ASK.propose: {
        const sequence = items.u53()
        const bytes = items.piece()
        if (items.isBroken) return undefined
        const { session, lowest } = named
        if (session.index === 0 || lowest > sequence)
          return 'a command without a name in its session'
        return this.#propose(id, bytes, { session, sequence, lowest })
      }
      case ASK.query: {
        const consistency = consistencyOf(items.u8(), items.u53())
        const question = items.piece()
        if (consistency === undefined) return 'a consistency that is none'
        return items.isBroken ? undefined : this.#query(id, question, consistency)
      }
      case ASK.commits: {
        const from = items.u53()
        return items.isBroken ? undefined : this.#commits(id, from)
      }
      case ASK.watch: {
        const [from, what] = [items.u53(), items.piece()]
        return items.isBroken ? undefined : this.#watch(id, from, what)
      }
      case ASK.cancel:
        return this.#cancel(id)
      default:
        return `nothing is asked by ${code}`
    }
  }

  #propose(id: number, encoded: Uint8Array, request: Named & { sequence: number }): undefined {
    if (!this.#admit(id)) return
    let command: C
    try {
      // What cannot be decoded must never be in the log.
      command = this.node.codec.decode(encoded)
      const fault = this.options.checkCommand?.(command)
      if (fault !== undefined) throw new Rejected(fault)
    } catch (error) {
      return this.#fail(id, error instanceof Rejected ? error : new Rejected('no command'))
    }
    this.node.submit(command, new Reply<R>(this, id), { request, encoded })
  }

  applied(id: number, result: R, index: Index, term: Term): void {
    this.#open--
    const bytes = this.#encode(id, result, this.#results)
    if (bytes === undefined) return
    this.#say(TELL.applied, id, 16)
    this.#sheaf.u53(index)
    this.#sheaf.u53(term)
    this.#sheaf.piece(bytes)
  }

  failed(id: number, error: unknown): void {
    this.#fail(id, error)
  }

  get #isFull(): boolean {
    return this.connection.socket.writableLength + this.#sheaf.size > FOLLOWED_BYTES
  }

  #openSession(id: number): undefined {
    if (!this.#admit(id)) return
    this.#ask(
      id,
      this.node.session().subscribe({
        next: ({ index, term }) => {
          this.#settled(id)
          this.#say(TELL.session, id, 16)
          this.#sheaf.u53(index)
          this.#sheaf.u53(term)
        },
        error: (error: unknown) => this.#fail(id, error),
      }),
    )
  }

  #query(id: number, bytes: Uint8Array, consistency: Consistency): undefined {
    if (!this.#admit(id)) return
    let question: Q
    try {
      question = this.#codec.decode(bytes) as Q
    } catch {
      return this.#fail(id, new Rejected('no question'))
    }
    const fault = this.options.checkQuestion?.(question)
    if (fault !== undefined) return this.#fail(id, new Rejected(fault))
    this.#ask(
      id,
      this.node.query(question, { consistency }).subscribe({
        next: (answer) => {
          const found = this.#encode(id, answer, this.#codec)
          if (found === undefined) return
          this.#settled(id)
          this.#say(TELL.answer, id, 0)
          this.#sheaf.piece(found)
        },
        error: (error: unknown) => this.#fail(id, error),
      }),
    )
  }

  #commits(id: number, from: Index): undefined {
    if (!this.#admit(id)) return
    const { codec } = this.node
    this.#follow(id, commitsOf(this.node), from, (command) => codec.encode(command))
  }

  #watch(id: number, from: Index, what: Uint8Array): undefined {
    if (!this.#admit(id)) return
    const { watch } = this.options
    try {
      if (watch === undefined) throw new Rejected('this server has nothing to watch')
      const source = watch(this.#codec.decode(what))
      const encode = (item: unknown): Uint8Array => this.#codec.encode(item)
      if (from === 0) this.#reached(id, source.from)
      this.#follow(id, source, from === 0 ? source.from : from, encode)
    } catch (error) {
      this.#fail(id, error)
    }
  }

  #follow<T>(id: number, source: Source<T>, from: Index, encode: (item: T) => Uint8Array): void {
    const tail = new Tail<T>(source, from, {
      isFull: () => this.#isFull,
      told: ({ index, item }, isLast) => {
        this.#say(isLast ? TELL.told : TELL.part, id, 8)
        this.#sheaf.u53(index)
        this.#sheaf.piece(encode(item))
      },
      reached: (index) => this.#reached(id, index),
      fail: (error) => this.#fail(id, error),
    })
    this.#asked.set(id, tail as Tail<unknown>)
    tail.pump()
  }

  #reached(id: number, index: Index): void {
    this.#say(TELL.reached, id, 8)
    this.#sheaf.u53(index)
  }

  /** What has been answered at once is over. */
  #ask(id: number, asked: Subscription): void {
    if (!asked.closed) this.#asked.set(id, asked)
  }

  #admit(id: number): boolean {
    if (this.#open++ < this.#maxRequests) return true
    this.#fail(id, new Overloaded(`${this.#maxRequests} requests of this client are under way`))
    return false
  }

  #cancel(id: number): undefined {
    const asked = this.#asked.take(id)
    if (asked === undefined) return
    this.#open--
    asked.unsubscribe()
  }

  #settled(id: number): void {
    this.#open--
    this.#asked.take(id)
  }

  #fail(id: number, error: unknown): undefined {
    this.#settled(id)
    this.#say(TELL.failed, id, 0)
    this.#sheaf.piece(tell(error, this.#codec))
  }

  #encode<T>(id: number, value: T, codec: Codec<T>): Uint8Array | undefined {
    try {
      return codec.encode(value)
    } catch (error) {
      this.#fail(id, error)
      return undefined
    }
  }

  #lead(leader: Leader | undefined): void {
    const { id = '', term = 0 } = leader ?? {}
    const isKnown = leader !== undefined && this.#members !== undefined
    const address = isKnown ? this.options.addressOf?.(id, this.#members!) : undefined
    this.#say(TELL.leader, 0, 8)
    this.#sheaf.u53(term)
    this.#sheaf.piece(new TextEncoder().encode(id))
    this.#sheaf.piece(new TextEncoder().encode(address ?? ''))
  }

  #say(code: number, id: number, size: number): void {
    if (this.#sheaf.isFull) this.#flush()
    this.#sheaf.item(code, id, size)
    if (this.#isFlushing) return
    this.#isFlushing = true
    queueMicrotask(this.#flush)
  }

  readonly #flush = (): void => {
    this.#isFlushing = false
    if (this.#sheaf.size > 0) this.connection.write(this.#sheaf.take())
  }

  #drained(): void {
    this.connection.socket.resume()
    for (const [, asked] of this.#asked) if (asked instanceof Tail) asked.pump()
  }
}

/** What the commands of a frame have in common. */
interface Named {
  readonly session: { readonly index: Index; readonly term: Term }
  readonly lowest: number
}

/** Who tells a client what came of its commands. */
interface Teller<R> {
  applied(id: number, result: R, index: Index, term: Term): void
  failed(id: number, error: unknown): void
}

class Reply<R> implements Settle<R> {
  constructor(
    private readonly counter: Teller<R>,
    private readonly id: number,
  ) {}

  applied(result: R, index: Index, term: Term): void {
    this.counter.applied(this.id, result, index, term)
  }

  failed(error: Error): void {
    this.counter.failed(this.id, error)
  }
}

/** A node's commands, as they lie in its log. */
function commitsOf<C>(node: Pick<RaftNode<C, unknown>, 'history' | 'status$'>): Source<C> {
  const grown$: Observable<unknown> = node.status$.pipe(
    map(({ appliedIndex }) => appliedIndex),
    distinctUntilChanged(),
  )
  const read = (from: Index) => {
    const commits = node.history(from, PIECE)
    const items = commits.map(({ index, command }): Happened<C> => ({ index, item: command }))
    return { items, next: (commits.at(-1)?.index ?? from - 1) + 1 }
  }
  return { read, grown$ }
}

function consistencyOf(code: number, number: number): Consistency | undefined {
  switch (code) {
    case CONSISTENCY.linearizable:
      return 'linearizable'
    case CONSISTENCY.stale:
      return 'stale'
    case CONSISTENCY.within:
      return { within: number }
    case CONSISTENCY.atLeast:
      return { atLeast: number }
    default:
      return undefined
  }
}
