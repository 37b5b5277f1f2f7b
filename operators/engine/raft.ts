import { Observable } from 'rxjs'
import { application } from './application.ts'
import { changing } from './changing.ts'
import { Core } from './core.ts'
import { engine } from './engine.ts'
import { history } from './history.ts'
import type { RaftNode } from './node.ts'
import { sessionLimits, settings, type RaftOptions } from './options.ts'
import { ordered } from './ordered.ts'
import { openingSession, proposing } from './proposing.ts'
import { querying } from './querying.ts'
import { Requests } from './requests.ts'
import { submitting } from './submitting.ts'
import { commits, leader, members, restored, role, status, trace } from './views.ts'

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
  const { protocol, machine, codec, scheduler, proposeTimeout, queryTimeout } = config
  const app = application(machine, codec, config.fingerprintEntries)
  const core = new Core<C, R>(config, engine(config, app))
  const { proposals, deadlines, state$, steps$, room$ } = core
  const limits = sessionLimits(config)
  const requests = new Requests(limits, (...opening) => proposals.openSession(...opening))
  const timing = { timeout: proposeTimeout, pause: config.heartbeat, deadlines, scheduler }
  return {
    id: protocol.id,
    leader$: state$.pipe(leader),
    role$: state$.pipe(role),
    members$: state$.pipe(members),
    status$: state$.pipe(status),
    commits$: steps$.pipe(commits<C, R>()),
    restored$: steps$.pipe(restored),
    trace$: steps$.pipe(trace),
    room$,
    propose: proposing(
      {
        request: (...request) => proposals.request(...request),
        find: (request) => app.clients.find(request),
        requests,
      },
      timing,
    ),
    session: () => openingSession((settle) => proposals.openSession(limits, settle), timing),
    query: querying(app, core, queryTimeout),
    submit: submitting(proposals, (request) => app.clients.find(request)),
    codec,
    snapshot: () => ordered(core.snapshots, undefined),
    transfer: (to) => ordered(core.transfers, to),
    change: (plan) => changing(core.changes, state$, plan),
    history: (from, limit) => history(core.state, codec, from, limit, app.clients.repeats),
    connect: () => core.connect(),
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
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    )
    subscriber.next(node)
    if (!subscriber.closed) subscriber.add(node.connect())
  })
}
