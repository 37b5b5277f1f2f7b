import {
  asapScheduler,
  combineLatest,
  from,
  identity,
  map,
  Observable,
  share,
  startWith,
  Subject,
  tap,
  type ObservableInput,
  type SchedulerLike,
  type Subscriber,
  type Subscription,
} from 'rxjs'
import { ConfigError } from '../../lib/errors.ts'
import type { Envelope } from '../../lib/messages.ts'
import type { NodeId } from '../../lib/types.ts'
import type { Transport } from '../../operators/adapters.ts'
import type { LinkOperator } from './memory/links.ts'

export { cutWhile, duplicate, latency, loss, reorder } from './memory/links.ts'
export type { LinkOperator } from './memory/links.ts'

/** Servers that can talk to each other; those in no group are one more group. `undefined`: all can. */
export type Partition = readonly (readonly NodeId[])[] | undefined

/** A direction in which nothing passes. */
export type Cut = readonly [from: NodeId, to: NodeId]

export interface NetworkOptions {
  /** What lies between two servers, in one direction. Default: nothing, everything passes at once. */
  readonly link?: (from: NodeId, to: NodeId) => LinkOperator
  /** Partitions, each until the next. Subscribed to while anybody is on the network. */
  readonly partitions$?: ObservableInput<Partition>
  /** Directions that are cut, each list until the next. Subscribed to likewise. */
  readonly cuts$?: ObservableInput<readonly Cut[]>
  /** Delivers what arrived in one turn. Default: `asapScheduler`. */
  readonly scheduler?: SchedulerLike
}

/** A network within one process. */
export interface Network {
  /** The transport of the server `id`, which can be on the network once at a time. */
  join(id: NodeId): Transport
}

/** One stay of a server on the network: from subscription to unsubscription. */
interface Stay {
  readonly id: NodeId
  /** What is on its way to this server, by sender. */
  readonly lines: Map<NodeId, Line>
  readonly arrive: (envelope: Envelope) => void
  readonly fail: (error: unknown) => void
}

interface Line {
  readonly put: (envelope: Envelope) => void
  readonly subscription: Subscription
}

/**
 * A network in memory, on which faults are operators and streams. Everything is virtual inside
 * `testScheduler.run()`.
 *
 * ```
 * outbound of a   --x----y----z--
 * partitions$     ----p-----h----     p = [['a'], ['b']], h = undefined
 * inbound of b    --x---------z--
 * ```
 *
 * What is on its way when a cut falls is lost; so is everything to a server that is not there, to one
 * that leaves before it arrives, and what an earlier stay of its sender has sent. `from` is always the
 * sender.
 *
 * A transport errors with `ConfigError` when its server is on the network already, with the error of
 * its source, of a link to it, or of the streams of faults. The end of a source ends nothing.
 */
export function network(options: NetworkOptions = {}): Network {
  return new MemoryNetwork(options)
}

class MemoryNetwork implements Network {
  readonly #stays = new Map<NodeId, Stay>()
  readonly #link: (from: NodeId, to: NodeId) => LinkOperator
  readonly #scheduler: SchedulerLike
  readonly #faults$: Observable<unknown>
  #isOpen: Passage = () => true

  constructor(options: NetworkOptions) {
    this.#link = options.link ?? (() => identity)
    this.#scheduler = options.scheduler ?? asapScheduler
    this.#faults$ = passages(options).pipe(
      tap((passage) => (this.#isOpen = passage)),
      share({ resetOnComplete: false }),
    )
  }

  join(id: NodeId): Transport {
    return (outbound) =>
      new Observable<Envelope>((subscriber) => {
        if (this.#stays.has(id)) {
          subscriber.error(new ConfigError('id', id, 'on the network once at a time'))
          return
        }
        const stay = this.#enter(id, subscriber)
        const error = (cause: unknown): void => subscriber.error(cause)
        subscriber.add(this.#faults$.subscribe({ error }))
        subscriber.add(
          outbound.subscribe({ next: (envelope) => this.#send(stay, envelope), error }),
        )
      })
  }

  #enter(id: NodeId, subscriber: Subscriber<Envelope>): Stay {
    const arrive = inbox(subscriber, this.#scheduler)
    const stay: Stay = { id, lines: new Map(), arrive, fail: (error) => subscriber.error(error) }
    for (const other of this.#stays.values()) drop(other, id)
    this.#stays.set(id, stay)
    subscriber.add(() => {
      this.#stays.delete(id)
      for (const sender of [...stay.lines.keys()]) drop(stay, sender)
    })
    return stay
  }

  #send(sender: Stay, { to, message }: Envelope): void {
    const receiver = this.#stays.get(to)
    if (receiver === undefined || receiver === sender || !this.#isOpen(sender.id, to)) return
    this.#lineBetween(sender, receiver).put({ from: sender.id, to, message })
  }

  #lineBetween(sender: Stay, receiver: Stay): Line {
    const known = receiver.lines.get(sender.id)
    if (known !== undefined) return known
    const input$ = new Subject<Envelope>()
    const subscription = input$.pipe(this.#link(sender.id, receiver.id)).subscribe({
      next: (envelope) => {
        if (this.#isOpen(sender.id, receiver.id)) receiver.arrive(envelope)
      },
      error: receiver.fail,
    })
    const line = { put: (envelope: Envelope) => input$.next(envelope), subscription }
    receiver.lines.set(sender.id, line)
    return line
  }
}

/** Ends what is on its way from `sender`. */
function drop({ lines }: Stay, sender: NodeId): void {
  lines.get(sender)?.subscription.unsubscribe()
  lines.delete(sender)
}

/** Whether anything passes from one server to another. */
type Passage = (from: NodeId, to: NodeId) => boolean

function passages({ partitions$ = [], cuts$ = [] }: NetworkOptions): Observable<Passage> {
  const partition$ = from(partitions$).pipe(startWith<Partition>(undefined))
  const cut$ = from(cuts$).pipe(startWith<readonly Cut[]>([]))
  return combineLatest([partition$, cut$]).pipe(
    map(([partition, cuts]): Passage => {
      const groupOf = (id: NodeId): number =>
        (partition ?? []).findIndex((group) => group.includes(id))
      return (from, to) =>
        groupOf(from) === groupOf(to) && !cuts.some(([a, b]) => a === from && b === to)
    }),
  )
}

/** Delivers once a turn what has arrived in it, so that two servers never call each other in a circle. */
function inbox(
  subscriber: Subscriber<Envelope>,
  scheduler: SchedulerLike,
): (envelope: Envelope) => void {
  let waiting: Envelope[] = []
  const deliver = (): void => {
    const arrived = waiting
    waiting = []
    for (const envelope of arrived) subscriber.next(envelope)
  }
  return (envelope) => {
    if (waiting.push(envelope) === 1) subscriber.add(scheduler.schedule(deliver))
  }
}
