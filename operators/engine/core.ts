import {
  BehaviorSubject,
  Subject,
  Subscription,
  type Observable,
  type OperatorFunction,
} from 'rxjs'
import { ChangeRefused, TransferFailed } from '../../lib/errors.ts'
import type { Event } from '../../lib/events.ts'
import { booting, leaderOf, type State } from '../../lib/state.ts'
import type { Answer, Step } from '../../lib/turn.ts'
import type { Index, NodeId, Plan } from '../../lib/types.ts'
import type { Codec } from '../codec.ts'
import { Arrivals } from './arrivals.ts'
import { Deadlines } from './deadlines.ts'
import type { Engine } from './options.ts'
import { Orders } from './orders.ts'
import { Places } from './places.ts'
import { Proposals } from './proposals.ts'
import { Questions } from './questions.ts'

/**
 * A running engine and everybody who waits for it: shares its steps with those who watch, settles the
 * proposals and questions of those who asked, and ends them all together.
 */
export class Core<C, R> {
  readonly #steps$ = new Subject<Step>()
  readonly #state$: BehaviorSubject<State>
  readonly deadlines: Deadlines
  readonly proposals: Proposals<C, R>
  readonly questions: Questions
  readonly arrivals: Arrivals
  readonly snapshots: Orders<void, Index>
  readonly changes: Orders<Plan, Index>
  readonly transfers: Orders<NodeId | undefined, NodeId>
  readonly #raised$ = new Subject<Event>()
  readonly #room$ = new Subject<void>()
  readonly #places: Places
  #running: Subscription | undefined
  #isTaking = false
  #whenTaken: (() => void) | undefined

  constructor(
    settings: Engine & { readonly codec: Codec<C> },
    private readonly engine: OperatorFunction<Event, Step>,
  ) {
    const { protocol, scheduler, turns, random, codec } = settings
    // What is meant for an earlier life of this server must not be taken for this one's.
    const ticket = Math.floor(random() * 2 ** 48)
    this.#state$ = new BehaviorSubject(booting(protocol))
    this.deadlines = new Deadlines(scheduler)
    this.proposals = new Proposals(
      codec,
      settings,
      (event) => {
        if (this.#raise({ ...event, at: scheduler.now() })) return
        this.proposals.answered({ type: 'notLeader', ticket: event.ticket, leader: undefined })
      },
      turns,
      ticket,
    )
    this.#places = new Places(settings.maxOpenQueries)
    this.arrivals = new Arrivals(this.#places)
    this.questions = new Questions(
      (ticket) => {
        if (this.#raise({ type: 'read', at: scheduler.now(), ticket })) return
        this.questions.answered({ type: 'unreadable', ticket, leader: undefined })
      },
      ticket,
      turns,
      scheduler,
      this.#places,
    )
    this.snapshots = new Orders((ticket) =>
      this.#raise({ type: 'snapshotWanted', at: scheduler.now(), ticket }),
    )
    this.changes = new Orders((ticket, plan) =>
      this.#raise({ type: 'changeWanted', at: scheduler.now(), ticket, plan }),
    )
    this.transfers = new Orders((ticket, to) =>
      this.#raise({ type: 'transferWanted', at: scheduler.now(), ticket, to }),
    )
  }

  /** Whether somebody has taken the event: a node that does not run takes none. */
  #raise(event: Event): boolean {
    if (!this.#raised$.observed) return false
    this.#raised$.next(event)
    return true
  }

  /** Every step, from the moment of subscription. */
  get steps$(): Observable<Step> {
    return this.#steps$
  }

  /** What was refused as too much may be tried again. */
  get room$(): Observable<void> {
    return this.#room$
  }

  /** The state, replayed. */
  get state$(): Observable<State> {
    return this.#state$
  }

  get state(): State {
    return this.#state$.value
  }

  connect(): Subscription {
    if (this.#running !== undefined) return this.#running
    const running = new Subscription(() => this.#end((stream$) => stream$.complete()))
    this.#running = running
    const error = (cause: unknown): void => {
      this.#end((stream$) => stream$.error(cause), cause)
      running.unsubscribe()
    }
    running.add(
      this.#raised$.pipe(this.engine).subscribe({ next: (step) => this.#take(step), error }),
    )
    return running
  }

  #take(step: Step): void {
    this.#isTaking = true
    // Reads come first: a step's `readable` holds for the state that the machine has now.
    for (const answer of step.answers) this.#answered(answer)
    this.arrivals.reached(step.state.appliedIndex)
    if (step.restore?.offset === 0) this.proposals.overtaken(step.restore.mark.index)
    this.#state$.next(step.state)
    this.#steps$.next(step)
    this.proposals.committed(step.state)
    for (const batch of step.applied) this.proposals.applied(batch)
    if (leaderOf(step.state) !== undefined) this.questions.retry()
    const mayProposeAgain = this.proposals.hasRoomAgain(step)
    if (this.#places.hasRoomAgain() || mayProposeAgain) this.#room$.next()
    this.#isTaking = false
    this.#whenTaken?.()
  }

  #answered(answer: Answer): void {
    switch (answer.type) {
      case 'snapshotTaken':
        return this.snapshots.answered(answer.ticket, answer.index)
      case 'changed':
        return this.changes.answered(answer.ticket, answer.index)
      case 'unchanged':
        return this.changes.refused(answer.ticket, new ChangeRefused(answer.reason, answer.leader))
      case 'handedOver':
        return this.transfers.answered(answer.ticket, answer.to)
      case 'kept':
        return this.transfers.refused(
          answer.ticket,
          new TransferFailed(answer.reason, answer.leader),
        )
      default:
        this.questions.answered(answer)
        this.proposals.answered(answer)
    }
  }

  #end(
    finish: (stream$: Subject<Step> | Subject<State> | Subject<void>) => void,
    cause?: unknown,
  ): void {
    // Whoever stops the node in the middle of a step does not take the step from the others.
    if (this.#isTaking) {
      this.#whenTaken ??= () => this.#end(finish, cause)
      return
    }
    this.proposals.stop(cause)
    this.questions.stop(cause)
    this.arrivals.stop(cause)
    this.snapshots.stop(cause)
    this.changes.stop(cause)
    this.transfers.stop(cause)
    this.deadlines.stop()
    finish(this.#steps$)
    finish(this.#state$)
    finish(this.#room$)
  }
}
