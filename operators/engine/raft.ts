import { Observable } from 'rxjs'
import { application } from './application.ts'
import { Core } from './core.ts'
import { engine } from './engine.ts'
import { history } from './history.ts'
import type { RaftNode } from './node.ts'
import { settings, type RaftOptions } from './options.ts'
import { proposing } from './proposing.ts'
import { querying } from './querying.ts'
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
  const { protocol, machine, codec, proposeTimeout, queryTimeout } = config
  const app = application(machine, codec)
  const core = new Core<C, R>(config, engine(config, app.apply))
  const { state$, steps$ } = core
  return {
    id: protocol.id,
    leader$: state$.pipe(leader),
    role$: state$.pipe(role),
    members$: state$.pipe(members),
    status$: state$.pipe(status),
    commits$: steps$.pipe(commits<C, R>()),
    trace$: steps$.pipe(trace),
    propose: proposing(core.proposals, core.deadlines, proposeTimeout),
    query: querying(app, core, queryTimeout),
    submit: (command, settle) => core.proposals.submit(command, settle),
    history: (from, limit) => history(core.state, codec, from, limit),
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
