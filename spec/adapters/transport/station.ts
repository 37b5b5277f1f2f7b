import { Subject, type Subscription } from 'rxjs'
import { freePorts } from '../../../bench/harness/ports.ts'
import type { Envelope, Message } from '../../../lib/messages.ts'
import type { Notice } from '../../../lib/storage.ts'
import type { NodeId } from '../../../lib/types.ts'
import type { Transport } from '../../../operators/adapters.ts'

/** A transport at work, and everything that it said. */
export interface Station {
  readonly id: NodeId
  /** What it heard, but for the knocks of {@link reach}. */
  readonly received: Envelope[]
  /** How often each other knocked. */
  readonly knocks: Map<NodeId, number>
  readonly notices: Notice[]
  /** What the transport errored with. */
  readonly error: unknown
  readonly isOver: boolean
  send(to: NodeId, ...messages: readonly Message[]): void
  /** The same, with the word of where `to` is. */
  sendAt(to: NodeId, address: string, ...messages: readonly Message[]): void
  /** The first notice with this code, once there is one. */
  noticed(code: string, about?: RegExp): Promise<Notice>
  stop(): void
}

class RunningStation implements Station {
  readonly received: Envelope[] = []
  readonly knocks = new Map<NodeId, number>()
  readonly notices: Notice[] = []
  error: unknown
  isOver = false
  readonly #outbound$ = new Subject<Envelope>()
  readonly #subscription: Subscription

  constructor(
    readonly id: NodeId,
    transport: Transport,
    heard?: (envelope: Envelope, station: Station) => void,
  ) {
    this.#subscription = this.#outbound$.pipe(transport).subscribe({
      next: (said) => {
        if ('source' in said) this.notices.push(said)
        else if (isKnock(said.message)) this.knocks.set(said.from, knocksOn(this, said.from) + 1)
        else {
          this.received.push(said)
          heard?.(said, this)
        }
      },
      error: (error: unknown) => {
        this.error = error
      },
      complete: () => (this.isOver = true),
    })
  }

  send(to: NodeId, ...messages: readonly Message[]): void {
    for (const message of messages) this.#outbound$.next({ from: this.id, to, message })
  }

  sendAt(to: NodeId, address: string, ...messages: readonly Message[]): void {
    for (const message of messages) this.#outbound$.next({ from: this.id, to, address, message })
  }

  noticed(code: string, about = /./): Promise<Notice> {
    const find = (): Notice | undefined =>
      this.notices.find((notice) => notice.code === code && about.test(notice.message))
    return until(find, `${this.id} to notice ${code} ${about}`, () => this.notices)
  }

  stop(): void {
    this.#subscription.unsubscribe()
  }
}

export function start(
  id: NodeId,
  transport: Transport,
  heard?: (envelope: Envelope, station: Station) => void,
): Station {
  return new RunningStation(id, transport, heard)
}

/** Waits for the condition to give something; fails after ten seconds, with what there was instead. */
export async function until<T>(
  condition: () => T | undefined | false,
  what: string,
  instead: () => unknown = () => '',
): Promise<T> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const found = condition()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadline) {
      throw new Error(`waited in vain for ${what}: ${JSON.stringify(instead())}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export const pulse = (round: number, term = 1): Message => ({
  type: 'heartbeat',
  term,
  commit: 0,
  commitTerm: 0,
  round,
})

/** The rounds of the pulses that came from `from`, in order. */
export const roundsFrom = (station: Station, from: NodeId): number[] =>
  station.received.flatMap((envelope) =>
    envelope.from === from && envelope.message.type === 'heartbeat' ? [envelope.message.round] : [],
  )

const KNOCK = pulse(0, 4242)

const isKnock = (message: Message): boolean =>
  message.type === 'heartbeat' && message.round === 0 && message.term === KNOCK.term

const knocksOn = (station: Station, from: NodeId): number => station.knocks.get(from) ?? 0

/** Knocks until each has heard the other twice: then they are connected, and not about to be anew. */
export async function meet(x: Station, y: Station): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await reach(x, y)
    await reach(y, x)
  }
}

/** Knocks until `to` hears it. */
export async function reach(from: Station, to: Station): Promise<void> {
  const before = knocksOn(to, from.id)
  await until(() => {
    from.send(to.id, KNOCK)
    return knocksOn(to, from.id) > before
  }, `${from.id} to reach ${to.id}`)
}

export async function freeAddresses(ids: readonly NodeId[]): Promise<Record<NodeId, string>> {
  const ports = await freePorts(ids.length)
  return Object.fromEntries(ids.map((id, i) => [id, `127.0.0.1:${ports[i]}`]))
}
