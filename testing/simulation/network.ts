import { Observable } from 'rxjs'
import { InvariantError } from '../../lib/errors.ts'
import type { Envelope, Message } from '../../lib/messages.ts'
import type { Millis, NodeId } from '../../lib/types.ts'
import type { Transport } from '../../operators/adapters.ts'
import type { Chance } from './chance.ts'
import type { VirtualClock } from './clock.ts'
import type { NetworkFault } from './faults.ts'

/** What the network tells of itself. */
export interface NetworkWitness {
  delivered(envelope: Envelope): void
  /** A message was lost, doubled, let overtake others or held up. */
  disturbed(fault: 'lose' | 'duplicate' | 'reorder' | 'delay' | 'echo' | 'hold'): void
}

/** How long a message takes, in ms. */
export type Latency = (chance: Chance) => Millis

/** A local network: half a millisecond to two. */
const lan: Latency = (chance) => chance.between(0.5, 2)

interface Mailbox {
  readonly receive: (envelope: Envelope) => void
}

/**
 * A network in virtual time. Without faults it keeps the order of what one server sends to another, as a
 * connection does. What is on its way when a cut falls is lost. What is on its way to a server that is down
 * is lost too, but what a server had sent before it went down arrives, also in the receiver's next life: that
 * is more than a connection does, and all that the protocol asks.
 */
export class SimulatedNetwork {
  readonly #mailboxes = new Map<NodeId, Mailbox>()
  readonly #cuts = new Set<string>()
  /** When the last message of a direction arrives. */
  readonly #arrivals = new Map<string, Millis>()
  #loss = 0
  #duplication = 0
  #reordering = 0
  #delay: Millis = 0
  #echo = { rate: 0, ms: 0 }
  /** What has come to the end of a direction that is held, in its order. */
  readonly #held = new Map<string, Envelope[]>()

  constructor(
    private readonly ids: readonly NodeId[],
    private readonly clock: VirtualClock,
    private readonly chance: Chance,
    private readonly witness: NetworkWitness,
    private readonly latency: Latency = lan,
  ) {}

  /** The transport of a server, whose mail goes through `post`. */
  join(id: NodeId, post: (run: () => void) => void): Transport {
    return (outbound) =>
      new Observable<Envelope>((subscriber) => {
        const receive = (envelope: Envelope): void => subscriber.next(envelope)
        const mailbox: Mailbox = { receive: (envelope) => post(() => receive(envelope)) }
        this.#mailboxes.set(id, mailbox)
        subscriber.add(() => this.#mailboxes.delete(id))
        subscriber.add(
          outbound.subscribe({
            next: ({ to, message, address }) => {
              refuseWrong(to, address)
              this.#send(id, to, message)
            },
            error: (error: unknown) => subscriber.error(error),
          }),
        )
      })
  }

  inject(fault: NetworkFault): void {
    switch (fault.type) {
      case 'cut':
        this.#cuts.add(direction(fault.from, fault.to))
        return
      case 'partition':
      case 'bridge':
      case 'ring':
        return this.#only(passage(fault))
      case 'heal':
        return this.#cuts.clear()
      case 'hold': {
        const way = direction(fault.from, fault.to)
        this.#held.set(way, this.#held.get(way) ?? [])
        return
      }
      case 'release':
        return this.#release(direction(fault.from, fault.to))
      case 'lose':
        this.#loss = fault.rate
        return
      case 'duplicate':
        this.#duplication = fault.rate
        return
      case 'reorder':
        this.#reordering = fault.rate
        return
      case 'delay':
        this.#delay = fault.ms
        return
      case 'echo':
        this.#echo = fault
    }
  }

  releaseAll(): void {
    for (const way of [...this.#held.keys()]) this.#release(way)
  }

  #release(way: string): void {
    const held = this.#held.get(way) ?? []
    this.#held.delete(way)
    for (const envelope of held) this.#arrive(way, envelope)
  }

  #only(isOpen: (from: NodeId, to: NodeId) => boolean): void {
    this.#cuts.clear()
    for (const from of this.ids) {
      for (const to of this.ids) {
        if (from !== to && !isOpen(from, to)) this.#cuts.add(direction(from, to))
      }
    }
  }

  #send(from: NodeId, to: NodeId, message: Message): void {
    const way = direction(from, to)
    if (this.#cuts.has(way)) return
    if (this.#happens(this.#loss)) return this.witness.disturbed('lose')
    this.#dispatch(way, from, to, message)
    if (this.#happens(this.#echo.rate)) this.#repeat(way, { from, to, message })
    if (!this.#happens(this.#duplication)) return
    this.witness.disturbed('duplicate')
    this.#dispatch(way, from, to, message)
  }

  #repeat(way: string, { from, to, message }: Envelope): void {
    this.witness.disturbed('echo')
    const envelope = { from, to, message: copied(message) }
    this.clock.after(this.chance.between(0, this.#echo.ms), () => this.#arrive(way, envelope))
  }

  #dispatch(way: string, from: NodeId, to: NodeId, message: Message): void {
    const arrival = this.clock.now() + this.latency(this.chance) + this.#holdUp()
    const last = this.#arrivals.get(way) ?? 0
    const overtakes = arrival < last && this.#happens(this.#reordering)
    if (overtakes) this.witness.disturbed('reorder')
    const at = overtakes ? arrival : Math.max(arrival, last)
    if (at > last) this.#arrivals.set(way, at)
    const envelope = { from, to, message: copied(message) }
    this.clock.at(at, () => this.#arrive(way, envelope))
  }

  #holdUp(): Millis {
    // What is to overtake must find something slow ahead of it.
    const most = Math.max(this.#delay, this.#reordering > 0 ? 10 : 0)
    if (most === 0) return 0
    if (this.#delay > 0) this.witness.disturbed('delay')
    return this.chance.between(0, most)
  }

  #happens(rate: number): boolean {
    return rate > 0 && this.chance.is(rate)
  }

  #arrive(way: string, envelope: Envelope): void {
    const held = this.#held.get(way)
    if (held !== undefined) {
      this.witness.disturbed('hold')
      held.push(envelope)
      return
    }
    const mailbox = this.#mailboxes.get(envelope.to)
    if (mailbox === undefined || this.#cuts.has(way)) return
    this.witness.delivered(envelope)
    mailbox.receive(envelope)
  }
}

/** Where a server is reached, as only this network understands it. */
export const addressOf = (id: NodeId): string => `the place of ${id}`

/** Throws `InvariantError` when a server is looked for where it is not. */
function refuseWrong(to: NodeId, address: string | undefined): void {
  if (address === undefined || address === addressOf(to)) return
  throw new InvariantError(`${to} is looked for at ${address}`)
}

const direction = (from: NodeId, to: NodeId): string => `${from}>${to}`

/** Nobody shares what somebody else could change; batches never change. */
const copied = (message: Message): Message =>
  message.type === 'append' ? { ...message, batches: [...message.batches] } : { ...message }

/** Which directions a partition leaves open. */
function passage(
  fault: Extract<NetworkFault, { type: 'partition' | 'bridge' | 'ring' }>,
): (from: NodeId, to: NodeId) => boolean {
  if (fault.type === 'ring') {
    const { order } = fault
    return (from, to) => {
      const apart = Math.abs(order.indexOf(from) - order.indexOf(to))
      return apart === 1 || apart === order.length - 1
    }
  }
  const groupOf = (id: NodeId): number => fault.groups.findIndex((group) => group.includes(id))
  const over = fault.type === 'bridge' ? fault.over : undefined
  return (from, to) => from === over || to === over || groupOf(from) === groupOf(to)
}
