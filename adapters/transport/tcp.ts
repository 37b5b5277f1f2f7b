import { catchError, EMPTY, interval, mergeMap, Observable, tap, type Subscriber } from 'rxjs'
import type { Envelope } from '../../lib/messages.ts'
import type { Notice } from '../../lib/storage.ts'
import type { Transport } from '../../operators/adapters.ts'
import { Failure } from './tcp/failure.ts'
import { receive } from './tcp/handshake.ts'
import { guests } from './tcp/listener.ts'
import { notices, reportFailure } from './tcp/notices.ts'
import { SILENCES } from './tcp/peer.ts'
import { Roster } from './tcp/roster.ts'
import { settings, type Settings, type TcpOptions } from './tcp/settings.ts'

export type { TcpOptions } from './tcp/settings.ts'
export type { Certificates } from './tcp/certificates.ts'
export { ListenError } from './tcp/failure.ts'

/** Milliseconds, at most, for an old connection to prove that it is alive. */
const PROBE_MS = 500

/**
 * TCP between the servers of a cluster: one connection a pair, in a protocol that docs/protocol.md
 * specifies, within TLS 1.3 unless everything stays on this machine.
 *
 * ```
 * outbound   --a-----b--c--|        messages to others
 * tcp        n----x---n------y---   messages from others, and notices
 * ```
 *
 * Messages to one peer arrive in order or not at all. Those to a peer that is down or slow wait within
 * bounds, then the oldest are lost; those to this server itself, or to an id whose address nobody has told,
 * are lost at once. Peers are learnt while it runs: from the addresses of outbound envelopes, and from
 * their own calls.
 *
 * Whatever is wrong with a connection ends that connection, is told in a notice (`peer-connected`,
 * `peer-disconnected`, `peer-refused`, `peer-unreachable`, `bad-frame`, `bad-message`, `queue-overflow`,
 * `accept-failed`, `listening`), and the peer is dialled again after a pause.
 *
 * Errors with `ListenError` when the address cannot be listened on, and with whatever the source errors
 * with. The end of the source ends nothing. Unsubscribing closes every socket; the same transport can be
 * subscribed to again.
 *
 * Throws `ConfigError`.
 */
export function tcp(options: TcpOptions): Transport {
  const config = settings(options)
  return (outbound) => new Observable((subscriber) => run(config, outbound, subscriber))
}

function run(
  config: Settings,
  outbound: Observable<Envelope>,
  subscriber: Subscriber<Envelope | Notice>,
): void {
  const { security, listen, scheduler, helloTimeout, idleTimeout } = config
  const { report, forget } = notices((notice) => subscriber.next(notice), scheduler)
  let opened = 0
  const around = {
    ...config,
    incarnation: config.newIncarnation(),
    report,
    forget,
    probeTimeout: Math.min(PROBE_MS, helloTimeout / 2),
    emit: (envelope: Envelope) => subscriber.next(envelope),
    nextNumber: () => ++opened,
  }
  const error = (cause: unknown): void => subscriber.error(cause)
  const roster = new Roster(around, error)
  subscriber.add(roster.life)

  const arriving$ = guests(security, listen, helloTimeout, report).pipe(
    mergeMap((guest) =>
      receive(guest.socket, (id) => roster.meet(id), around).pipe(
        tap(guest.release),
        catchError((cause: unknown) => {
          // A stranger who goes without a word is nobody's concern.
          if (!isDeparture(cause)) reportFailure(report, guest.host, cause)
          return EMPTY
        }),
      ),
    ),
  )
  subscriber.add(arriving$.subscribe({ next: (it) => roster.establish(it), error }))
  const ticks$ = interval(idleTimeout / SILENCES, scheduler)
  subscriber.add(ticks$.subscribe(() => roster.tick()))
  subscriber.add(outbound.subscribe({ next: (envelope) => roster.post(envelope), error }))
}

const isDeparture = (cause: unknown): boolean =>
  cause instanceof Failure && cause.code === 'peer-disconnected'
