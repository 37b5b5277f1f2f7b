import type { Socket } from 'node:net'
import {
  catchError,
  defer,
  delayWhen,
  EMPTY,
  filter,
  first,
  identity,
  Observable,
  repeat,
  switchMap,
  takeUntil,
  throwError,
  timeout,
  timer,
  withLatestFrom,
} from 'rxjs'
import type { Address } from './address.ts'
import { backoff } from './backoff.ts'
import { Failure } from './failure.ts'
import { introduce, type Self, type Session } from './handshake.ts'
import type { Peer } from './peer.ts'
import { handshakeFailure } from './security.ts'

export interface Dialling extends Self {
  readonly connectTimeout: number
  readonly backoff: readonly [min: number, max: number]
  readonly random: () => number
}

/**
 * Dials the peer whenever there is no connection with it, for as long as it is subscribed. Both ends
 * dial, so that it is enough that one of them can reach the other; the end that does not open the
 * connections begins a moment later, because one dial is enough. A peer that was not known in advance
 * is dialled at once: a message waits for it.
 */
export function dialling(
  peer: Peer,
  address: Address,
  options: Dialling,
  failed: (error: unknown) => void,
): Observable<Session> {
  const isDown$ = peer.isUp$.pipe(filter((isUp) => !isUp))
  const isUp$ = peer.isUp$.pipe(filter((isUp) => isUp))
  const socket$ = connecting(peer, address, options).pipe(takeUntil(isUp$))
  const dial$ = socket$.pipe(
    switchMap((socket) => introduce(socket, peer, options)),
    // Once introduced, the other end may be opening this very connection: only the opener gives it up.
    peer.isOpenedHere ? takeUntil(isUp$) : identity,
    catchError((error: unknown) => {
      failed(error)
      return EMPTY
    }),
  )
  const { scheduler } = options
  return defer(() => {
    const pause = pauses(peer, options)
    return defer(() => {
      const start = scheduler.now()
      return isDown$.pipe(
        first(),
        delayWhen(() => timer(pause(scheduler.now() - start), scheduler)),
        withLatestFrom(peer.isUp$),
        filter(([, isUp]) => !isUp),
        switchMap(() => dial$),
      )
    }).pipe(repeat())
  })
}

/** How long to wait before a dial, given for how long there was a connection: a lasting one counts as success. */
function pauses(peer: Peer, { backoff: range, random }: Dialling): (lasted: number) => number {
  let attempt = peer.isOpenedHere || !peer.isNamed ? -1 : 1
  return (lasted) => {
    attempt = lasted >= range[1] ? 1 : attempt + 1
    return attempt === 0 ? 0 : backoff(attempt, range, random)
  }
}

/** A socket to the peer that can be spoken on. */
export function connecting(
  peer: Pick<Peer, 'id'>,
  address: Address,
  options: Pick<Dialling, 'security' | 'connectTimeout' | 'scheduler'>,
): Observable<Socket> {
  const { security, connectTimeout, scheduler } = options
  return new Observable<Socket>((subscriber) => {
    const socket = security.connect(address, peer.id)
    let isThere = false
    let isKept = false
    socket.once('connect', () => (isThere = true))
    socket.on('error', (cause) => {
      const failure = isThere
        ? handshakeFailure(cause, security)
        : unreachable(cause.message, cause)
      subscriber.error(failure)
    })
    socket.once('close', () => subscriber.error(unreachable('the connection was closed')))
    socket.once(security.ready, () => {
      isKept = true
      socket.setNoDelay(true)
      subscriber.next(socket)
      subscriber.complete()
    })
    subscriber.add(() => {
      if (!isKept) socket.destroy()
    })
  }).pipe(
    timeout({
      first: connectTimeout,
      scheduler,
      with: () => throwError(() => unreachable(`no connection within ${connectTimeout} ms`)),
    }),
  )
}

const unreachable = (message: string, cause?: Error): Failure =>
  new Failure('peer-unreachable', message, { cause })
