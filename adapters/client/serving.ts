import { interval, Observable, type Subscriber } from 'rxjs'
import type { Notice } from '../../lib/storage.ts'
import type { RaftNode } from '../../operators/engine/node.ts'
import type { Bounds } from '../transport/tcp/bounds.ts'
import type { Connection } from '../transport/tcp/connection.ts'
import { Failure, quote } from '../transport/tcp/failure.ts'
import { refusal } from '../transport/tcp/handshake.ts'
import type { Hello } from '../transport/tcp/hello.ts'
import { notices, reportFailure, type Report } from '../transport/tcp/notices.ts'
import { clientsOf } from './codes.ts'
import { Counter, type CounterOptions } from './counter.ts'
import { gathering } from './gathering.ts'

/** Where clients come in, whatever the wire. */
export interface Port extends Bounds {
  readonly cluster: string
  readonly maxClients: number
}

/** Who meets them. */
export interface Reception {
  readonly report: Report
  /** Throws `Failure` for somebody who is not let in. */
  readonly admit: (hello: Hello) => void
}

/**
 * Serves whoever comes in, each at a counter of its own. Errors with what the arrivals and the node fail with; completes
 * when the node stops.
 */
export function serving<C, R, Q, A>(
  node: RaftNode<C, R, Q, A>,
  port: Port,
  options: CounterOptions<C, Q, R>,
  arriving: (reception: Reception) => Observable<Connection>,
): Observable<Notice> {
  return new Observable((subscriber) => run(node, port, options, arriving, subscriber))
}

function run<C, R, Q, A>(
  node: RaftNode<C, R, Q, A>,
  port: Port,
  options: CounterOptions<C, Q, R>,
  arriving: (reception: Reception) => Observable<Connection>,
  subscriber: Subscriber<Notice>,
): void {
  const { idleTimeout, scheduler } = port
  const { report } = notices((notice) => subscriber.next(notice), scheduler)
  const gather = gathering()
  const counters = new Set<Counter<C, R, Q, A>>()
  const admit = (hello: Hello): void => checkHello(hello, port, counters.size)
  const serve = (connection: Connection): void => {
    connection.trust(port.maxFrameBytes)
    const counter = new Counter(connection, node, options, gather)
    counters.add(counter)
    connection.end$.subscribe({
      error: (reason: unknown) => {
        counters.delete(counter)
        counter.close()
        reportRefusal(report, 'a client', reason)
      },
    })
  }
  subscriber.add(() => {
    for (const counter of counters) counter.leave()
  })
  const error = (cause: unknown): void => subscriber.error(cause)
  subscriber.add(arriving({ report, admit }).subscribe({ next: serve, error }))
  subscriber.add(node.leader$.subscribe({ error, complete: () => subscriber.complete() }))
  const ticks$ = interval(idleTimeout, scheduler)
  subscriber.add(ticks$.subscribe(() => counters.forEach((counter) => counter.tick())))
}

function checkHello({ cluster: named }: Hello, port: Port, count: number): void {
  const cluster = clientsOf(port.cluster)
  if (named !== cluster) {
    throw refusal(`it asks for ${quote(named)}, and this is ${quote(cluster)}`)
  }
  if (count >= port.maxClients) throw refusal(`${port.maxClients} clients are here already`)
}

/** A client that goes is nobody's concern. */
export function reportRefusal(report: Report, who: string, reason: unknown): void {
  if (reason instanceof Failure && reason.code === 'peer-disconnected') return
  reportFailure(report, who, reason)
}
