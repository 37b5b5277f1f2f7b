import { Subject, Subscription, type SchedulerLike } from 'rxjs'
import type { Event } from '../../lib/events.ts'
import type { Envelope } from '../../lib/messages.ts'
import { booting, leaderOf, type State } from '../../lib/state.ts'
import { reduce } from '../../lib/step.ts'
import type { DiskRequest } from '../../lib/storage.ts'
import { begin, finish, type Step } from '../../lib/turn.ts'
import { application, type Application } from '../../operators/engine/application.ts'
import type { Settle } from '../../operators/engine/node.ts'
import { settings, type RaftOptions, type Settings } from '../../operators/engine/options.ts'
import { Proposals } from '../../operators/engine/proposals.ts'
import { Applier } from './applier.ts'
import { Captures } from './captures.ts'
import { Timers } from './timers.ts'

/** The end of a turn of the event loop, without a scheduler's machinery. */
const turns = {
  now: () => performance.now(),
  schedule: (work: () => void) => {
    queueMicrotask(work)
    return Subscription.EMPTY
  },
} as SchedulerLike

/**
 * A server with the loop written by hand: the same reducer, the same state machine, the same adapters (which are operators
 * and have a subject at either end), and a queue, a `for` and calls in place of the streams between them.
 */
export class PlainNode<S, R> {
  readonly #saves$ = new Subject<DiskRequest>()
  readonly #outbound$ = new Subject<Envelope>()
  readonly #config: Settings<S, Uint8Array, R, never, never>
  readonly #machine: Application<never, never>
  readonly #proposals: Proposals<Uint8Array, R>
  readonly #timers: Timers
  readonly #applier: Applier
  readonly #captures: Captures
  readonly #running = new Subscription()
  #step: Step
  #queue: Event[] = []
  /** Whether a flush is due or under way: what is raised before its end is found by it. */
  #isFlushing = false

  constructor(
    options: RaftOptions<S, Uint8Array, R>,
    private readonly fail: (error: unknown) => void,
  ) {
    const config = settings(options)
    this.#config = config
    this.#step = finish(begin(booting(config.protocol)), [])
    this.#machine = application(config.machine, config.codec, config.fingerprintEntries)
    const raise = (proposed: Omit<Extract<Event, { type: 'proposed' }>, 'at'>): void =>
      this.#raise({ ...proposed, at: performance.now() })
    this.#proposals = new Proposals(config.codec, config, raise, turns)
    this.#timers = new Timers(config, this.#raise)
    this.#applier = new Applier(this.#machine.apply, this.#raise)
    this.#captures = new Captures(this.#machine, this.#raise, fail)
  }

  submit(command: Uint8Array, settle: Settle<R>): void {
    this.#proposals.submit(command, settle)
  }

  get leader(): string | undefined {
    return leaderOf(this.#step.state)
  }

  get state(): State {
    return this.#step.state
  }

  connect(): void {
    const { storage, transport } = this.#config
    const error = this.fail
    const fact$ = storage(this.#saves$)
    this.#running.add(
      fact$.subscribe({ next: (it) => this.#raise({ ...it, at: performance.now() }), error }),
    )
    const heard$ = transport(this.#outbound$)
    this.#running.add(heard$.subscribe({ next: (it) => this.#raise(heardOf(it)), error }))
  }

  stop(): void {
    this.#running.unsubscribe()
    this.#timers.stop()
  }

  readonly #raise = (event: Event): void => {
    this.#queue.push(event)
    if (this.#isFlushing) return
    this.#isFlushing = true
    queueMicrotask(this.#flush)
  }

  readonly #flush = (): void => {
    while (this.#queue.length > 0) {
      const events = this.#queue
      this.#queue = []
      this.#step = reduce(this.#step.state, events)
      this.#take(this.#step)
    }
    this.#isFlushing = false
  }

  #take(step: Step): void {
    const { save, disk, send, state } = step
    if (save !== undefined) this.#saves$.next(save)
    for (const request of disk) this.#saves$.next(request)
    const { addresses } = state.members
    for (const envelope of send) {
      const address = Object.hasOwn(addresses, envelope.to) ? addresses[envelope.to] : undefined
      this.#outbound$.next(address === undefined ? envelope : { ...envelope, address })
    }
    this.#applier.take(step.committed)
    this.#captures.take(step)
    this.#timers.take(step)
    for (const answer of step.answers) this.#proposals.answered(answer)
    for (const batch of step.applied) this.#proposals.applied(batch)
  }
}

const heardOf = (heard: Envelope | object): Event =>
  'message' in heard && 'from' in heard
    ? { type: 'received', at: performance.now(), envelope: heard }
    : ({ ...heard, at: performance.now() } as Event)
