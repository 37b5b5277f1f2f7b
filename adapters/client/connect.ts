import { identity, map, Observable } from 'rxjs'
import { ConfigError } from '../../lib/errors.ts'
import type { Index } from '../../lib/types.ts'
import { msgpack, type Codec } from '../../operators/codec.ts'
import { Deadlines } from '../../operators/engine/deadlines.ts'
import type { Consistency } from '../../operators/engine/node.ts'
import { monotonic } from '../../operators/engine/monotonic.ts'
import type { Machine } from '../../operators/machine.ts'
import type { TcpOptions } from '../transport/tcp/settings.ts'
import { Command, type Proposed } from './command.ts'
import { Courier } from './courier.ts'
import { commits, follow, watched } from './follow.ts'
import { Hearer } from './hearer.ts'
import type { WebSocketConstructor } from './overWebSocket.ts'
import { partyOf, type Party } from './party.ts'
import { Question } from './question.ts'
import type { Happened } from './tail.ts'
import { locating, type FindWay } from './way.ts'

export interface ConnectOptions<
  S = unknown,
  C = unknown,
  R = unknown,
  Q = unknown,
  A = unknown,
> extends Pick<
  TcpOptions,
  | 'cluster'
  | 'secret'
  | 'tls'
  | 'insecureTrustNetwork'
  | 'maxFrameBytes'
  | 'connectTimeout'
  | 'helloTimeout'
  | 'idleTimeout'
  | 'backoff'
  | 'random'
  | 'scheduler'
> {
  /**
   * Where servers listen to clients, at least one: as `HOST:PORT`, or, in a browser always, as `ws://HOST:PORT/PATH` and
   * `wss://…`. The leader may be another one that these know of.
   */
  readonly servers: readonly string[]
  /** For `ws://` and `wss://`: the class, where the runtime has none, such as `WebSocket` of the package `ws`. Default: the runtime's. */
  readonly WebSocket?: WebSocketConstructor
  /** The cluster's state machine. Only its types are used. Default: everything is `unknown`. */
  readonly machine?: Machine<S, C, R, Q, A>
  /** How commands are encoded: as on the servers. Default: `msgpack()`. */
  readonly codec?: Codec<C>
  /** How results are encoded: as `results` of `serveClients` says. Default: `msgpack()`. */
  readonly results?: Codec<R>
  /** Milliseconds for a command or a question, all attempts together. Default: 10,000. */
  readonly timeout?: number
  /** Requests that are under way at a time, 1 to 16,384; those beyond wait. Default: 1,024. */
  readonly maxInFlight?: number
  /** Requests that wait, at least 1; those beyond error with `Overloaded`. Default: 65,536. */
  readonly maxWaiting?: number
}

/** A cluster as seen from outside. */
export interface Client<C, R, Q, A> {
  /**
   * Cold: has the command applied once, and emits what came of it. Follows the leader and sends the command again,
   * under one name, until it is known what became of it. Every subscription to one Observable is about one command:
   * `retry()` is safe. Errors with `Timeout` when that takes too long, `Unreachable`, `Refused`, `Overloaded`,
   * `CommandFailed`, `CommandTooLarge`, `Rejected`, `SessionExpired`, `Closed`; an error's `outcome` says whether the
   * command may have taken effect. Unsubscribing does not take back what was sent. `project` makes what is emitted, as
   * `map(project)` behind it would, in less time; what it throws is the error.
   */
  propose<T = Proposed<R>>(
    command: C,
    options?: {
      readonly timeout?: number | undefined
      readonly project?: (proposed: Proposed<R>) => T
    },
  ): Observable<T>
  /** Cold: asks the leader, once per subscription. Errors with `Timeout`, `Unreachable`, `Refused`, `Overloaded`, `Rejected`, `Failed`, `Closed`. */
  query(
    question: Q,
    options?: { readonly consistency?: Consistency; readonly timeout?: number },
  ): Observable<A>
  /**
   * Cold: every command from `from` (1 or more) on, in order and without a gap, each once: the past, then live, through
   * whichever server there is. Completes when the client is closed. Errors with `Compacted` when the log no longer reaches
   * back so far, and with `Refused`.
   */
  commits(from: Index): Observable<{ readonly index: Index; readonly command: C }>
  /**
   * Cold: what the servers let clients watch, from an index on (default: from now on), in order and without a gap, as
   * `commits`. Errors with `Compacted`, `Rejected`, `Failed`, `Refused`.
   */
  watch(what: unknown, from?: Index): Observable<Happened<unknown>>
  /** Closes every connection. What is under way errors with `Closed`. */
  close(): void
}

/** A client that finds its ways by `wayBy`. Throws `ConfigError`. */
export function connectBy<S, C, R, Q, A>(
  options: ConnectOptions<S, C, R, Q, A>,
  wayBy: (party: Party) => FindWay,
): Client<C, R, Q, A> {
  const { timeout: defaultTimeout = 10_000, codec = msgpack<C>() } = options
  const values = msgpack<unknown>()
  const { courier, deadlines } = courierOf(options, values, wayBy)
  return {
    propose: (command, { timeout = defaultTimeout, project = asItIs } = {}) => {
      const job = new Command<R>(codec.encode(command), courier)
      return new Observable(
        (subscriber) => new Hearer(job, courier, subscriber, project, timeout, deadlines),
      )
    },
    query: (question, { consistency = 'linearizable', timeout = defaultTimeout } = {}) => {
      const bytes = values.encode(question)
      return new Observable((subscriber) => {
        const job = new Question(bytes, consistency, subscriber, courier)
        const expire = (): void => subscriber.error(courier.late(job, timeout))
        const limit = deadlines.set(timeout, { expire })
        const refusal = courier.submit(job)
        if (refusal !== undefined) subscriber.error(refusal)
        return limit
      })
    },
    ...following(courier, codec, values),
    close: () => {
      courier.close()
      deadlines.stop()
    },
  }
}

/** What is emitted where nobody makes anything else of it. */
const asItIs = identity as <T>(proposed: Proposed<unknown>) => T

function following<C>(
  courier: Courier,
  codec: Codec<C>,
  values: Codec<unknown>,
): Pick<Client<C, never, never, never>, 'commits' | 'watch'> {
  return {
    commits: (from) => {
      const all = commits((bytes) => codec.decode(bytes))
      return follow(courier, all, from).pipe(map(({ index, item }) => ({ index, command: item })))
    },
    watch: (what, from = 0) =>
      follow(
        courier,
        watched(values.encode(what), (item) => values.decode(item)),
        from,
      ),
  }
}

function courierOf<S, C, R, Q, A>(
  options: ConnectOptions<S, C, R, Q, A>,
  values: Codec<unknown>,
  wayBy: (party: Party) => FindWay,
) {
  const { results = values as Codec<R> } = options
  const { servers, maxInFlight = 1024, maxWaiting = 65_536, scheduler = monotonic } = options
  const party = partyOf({ ...options, scheduler })
  if (!(servers?.length > 0) || typeof servers === 'string') {
    throw new ConfigError('servers', servers, "addresses, such as ['127.0.0.1:9001']")
  }
  if (!(maxInFlight >= 1 && maxInFlight <= 16_384)) {
    throw new ConfigError('maxInFlight', maxInFlight, 'a whole number from 1 to 16384')
  }
  if (!(maxWaiting >= 1)) throw new ConfigError('maxWaiting', maxWaiting, 'at least 1')
  const deadlines = new Deadlines(scheduler)
  const courier = new Courier(party, {
    ...locating(wayBy(party), servers),
    ...{
      maxInFlight,
      maxWaiting,
      deadlines,
      codecs: { results: results, values },
    },
  })
  courier.start()
  return { courier, deadlines }
}
