import { BehaviorSubject, Observable, scan, Subject, Subscription } from 'rxjs'
import type { Event } from '../../lib/events.ts'
import { booting, leaderOf, type State } from '../../lib/state.ts'
import { reduce } from '../../lib/step.ts'
import { begin, finish, type Step } from '../../lib/turn.ts'
import { application } from './application.ts'
import { apply } from './apply.ts'
import { Deadlines } from './deadlines.ts'
import { deliver } from './deliver.ts'
import { electionTimer } from './electionTimer.ts'
import { heartbeats } from './heartbeats.ts'
import { history } from './history.ts'
import { loop } from './loop.ts'
import type { RaftNode } from './node.ts'
import { settings, type RaftOptions } from './options.ts'
import { persist } from './persist.ts'
import { Proposals } from './proposals.ts'
import { proposing } from './proposing.ts'
import { querying } from './querying.ts'
import { Questions } from './questions.ts'
import { quorumTimer } from './quorumTimer.ts'
import { commits, leader, members, role, status, trace } from './views.ts'

/**
 * A server of a cluster, which does nothing until `connect()`.
 *
 * ```ts
 * const counter = { initial: 0, apply: (n: number, by: number) => [n + by, n + by] as const }
 * const node = raft({ id: 'a', machine: counter })
 * ```
 *
 * Throws `ConfigError` for an option that cannot be.
 */
export function raft<S, C, R, Q = never, A = never>(
  options: RaftOptions<S, C, R, Q, A>,
): RaftNode<C, R, Q, A> {
  const config = settings(options)
  const { protocol, scheduler, turns, random, codec } = config
  const machine = application(config.machine, codec)

  const engine = loop<Event, Step>(
    scan((step: Step, events) => reduce(step.state, events), idle(booting(protocol))),
    [
      persist(config.storage, scheduler),
      deliver(config.transport, scheduler),
      apply(machine.apply, scheduler),
      electionTimer(config.electionTimeout, random, scheduler),
      heartbeats(config.heartbeat, scheduler),
      quorumTimer(scheduler),
    ],
    turns,
  )

  const raised$ = new Subject<Event>()
  const steps$ = new Subject<Step>()
  const state$ = new BehaviorSubject<State>(booting(protocol))
  const deadlines = new Deadlines(scheduler)
  const proposals = new Proposals<C, R>(
    codec,
    config,
    (event) => {
      if (raised$.observed) raised$.next({ ...event, at: scheduler.now() })
      else proposals.answered({ type: 'notLeader', ticket: event.ticket, leader: undefined })
    },
    turns,
  )
  const questions = new Questions(
    (ticket) => {
      if (raised$.observed) raised$.next({ type: 'read', at: scheduler.now(), ticket })
      else questions.answered({ type: 'unreadable', ticket, leader: undefined })
    },
    random,
    turns,
  )

  let isTaking = false
  let whenTaken: (() => void) | undefined
  const take = (step: Step): void => {
    isTaking = true
    // Reads come first: a step's `readable` holds for the state that the machine has now.
    for (const answer of step.answers) {
      questions.answered(answer)
      proposals.answered(answer)
    }
    state$.next(step.state)
    steps$.next(step)
    for (const batch of step.applied) proposals.applied(batch)
    if (leaderOf(step.state) !== undefined) questions.retry()
    isTaking = false
    whenTaken?.()
  }
  const end = (finished: (stream: Subject<never>) => void, cause?: unknown): void => {
    // Whoever stops the node in the middle of a step does not take the step from the others.
    if (isTaking) return void (whenTaken ??= () => end(finished, cause))
    proposals.stop(cause)
    questions.stop(cause)
    deadlines.stop()
    for (const stream of [steps$, state$]) finished(stream as unknown as Subject<never>)
  }

  let connection: Subscription | undefined
  const connect = (): Subscription => {
    if (connection !== undefined) return connection
    const running = new Subscription(() => end((stream) => stream.complete()))
    const fail = (error: unknown): void => {
      end((stream) => stream.error(error), error)
      running.unsubscribe()
    }
    connection = running
    running.add(raised$.pipe(engine).subscribe({ next: take, error: fail }))
    return running
  }

  return {
    id: protocol.id,
    leader$: state$.pipe(leader),
    role$: state$.pipe(role),
    members$: state$.pipe(members),
    status$: state$.pipe(status),
    commits$: steps$.pipe(commits<C, R>()),
    trace$: steps$.pipe(trace),
    propose: proposing(proposals, deadlines, config.proposeTimeout),
    query: querying(machine, questions, deadlines, state$, config.queryTimeout),
    submit: (command, settle) => proposals.submit(command, settle),
    history: (from, limit) => history(state$.value, codec, from, limit),
    connect,
  }
}

/**
 * The same node as a cold Observable: it emits the node and starts it, errors when the node fails, and
 * unsubscribing stops it. Supervision is `retry`:
 *
 * ```ts
 * raft$(options).pipe(retry({ delay: 1000 }))
 * ```
 */
export function raft$<S, C, R, Q = never, A = never>(
  options: RaftOptions<S, C, R, Q, A>,
): Observable<RaftNode<C, R, Q, A>> {
  return new Observable((subscriber) => {
    const node = raft(options)
    subscriber.add(
      node.status$.subscribe({
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    )
    subscriber.next(node)
    if (!subscriber.closed) subscriber.add(node.connect())
  })
}

const idle = (state: State): Step => finish(begin(state), state, [])
