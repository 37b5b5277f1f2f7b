import type { Socket } from 'node:net'
import {
  concatMap,
  defer,
  finalize,
  map,
  merge,
  of,
  switchMap,
  take,
  tap,
  throwError,
  timeout,
  catchError,
  type MonoTypeOperatorFunction,
  type Observable,
  type SchedulerLike,
} from 'rxjs'
import type { Slab } from '../../../lib/slab.ts'
import { Connection, type Wire } from './connection.ts'
import { Failure, quote, type FailureCode } from './failure.ts'
import { frame, type Frame } from './frame.ts'
import {
  decodeHello,
  decodeNumber,
  decodeText,
  encodeHello,
  encodeNumber,
  type Hello,
} from './hello.ts'
import type { Peer } from './peer.ts'
import type { Security } from './security.ts'

/**
 * A connection on which both ends have said and proved who they are, and on which one has opened.
 * docs/protocol.md tells why the smaller id of a pair opens, whoever dialled.
 */
export interface Session {
  readonly connection: Connection
  readonly peer: Peer
  readonly incarnation: string
  /** How many connections the smaller id had opened to the other, this one included. */
  readonly number: number
}

/** What this server says of itself, and how it judges the other end. */
export interface Self {
  readonly id: string
  readonly cluster: string
  readonly incarnation: string
  readonly security: Security
  /** Milliseconds for the whole exchange. */
  readonly helloTimeout: number
  readonly scheduler: SchedulerLike
}

/** The handshake of the end that dialled `peer`. Errors with `Failure`, and then the socket is gone. */
export function introduce(socket: Socket, peer: Peer, self: Self): Observable<Session> {
  return converse(socket, self, (connection) =>
    defer(() => {
      const proven = self.security.provenId(socket)
      connection.write(frame('hello', helloTo(peer.id, self)))
      return connection.next$.pipe(
        map((answer) => {
          const hello = readHello(answer, 'welcome')
          if (hello.from !== peer.id) throw notThe(peer.id, hello)
          return judge(hello, proven, self)
        }),
      )
    }).pipe(concatMap((hello) => open(connection, peer, hello))),
  )
}

/**
 * The handshake of the end that was dialled. `meet` finds whoever introduces itself, or throws `Failure`.
 * Errors with `Failure` likewise.
 */
export function receive(
  socket: Socket,
  meet: (id: string) => Peer,
  self: Self,
): Observable<Session> {
  return converse(socket, self, (connection) =>
    defer(() => {
      const proven = self.security.provenId(socket)
      return connection.next$.pipe(map((first) => judge(readHello(first, 'hello'), proven, self)))
    }).pipe(
      concatMap((hello) => {
        const peer = meet(hello.from)
        return peer.admit(hello.incarnation).pipe(
          tap(() => connection.write(frame('welcome', helloTo(peer.id, self)))),
          concatMap(() => open(connection, peer, hello)),
        )
      }),
      catchError((error: unknown) => {
        if (error instanceof Failure && error.code === 'peer-refused') connection.refuse(error)
        return throwError(() => error)
      }),
    ),
  )
}

/**
 * A handshake on a new connection, which is kept if it succeeds, in time, and closed otherwise. `late` is what it counts as
 * when it takes too long.
 */
export function converse<T>(
  socket: Wire,
  { helloTimeout, scheduler }: Pick<Self, 'helloTimeout' | 'scheduler'>,
  talk: (connection: Connection) => Observable<T>,
  bodies?: Slab,
  late: FailureCode = 'peer-refused',
): Observable<T> {
  return defer(() => {
    const connection = new Connection(socket, bodies)
    let isKept = false
    return merge(connection.end$, talk(connection)).pipe(
      inTime(helloTimeout, scheduler, late),
      take(1),
      tap(() => (isKept = true)),
      finalize(() => {
        if (!isKept) connection.close(new Failure('peer-disconnected', 'no longer wanted'))
      }),
    )
  })
}

function inTime<T>(
  ms: number,
  scheduler: SchedulerLike,
  code: FailureCode,
): MonoTypeOperatorFunction<T> {
  const isLate = (): Failure => new Failure(code, `no handshake within ${ms} ms`)
  return timeout({ first: ms, scheduler, with: () => throwError(isLate) })
}

/** One end opens, with a number that grows, and so both agree which of two connections is the newer. */
function open(connection: Connection, peer: Peer, { incarnation }: Hello): Observable<Session> {
  if (peer.isOpenedHere) {
    const number = peer.nextNumber()
    connection.write(frame('open', encodeNumber(number)))
    return of({ connection, peer, incarnation, number })
  }
  return connection.next$.pipe(
    switchMap((answer) => {
      const number = answer.type === 'open' ? decodeNumber(answer.head) : -1
      if (number < 0) throw outOfPlace(answer, 'open')
      return of({ connection, peer, incarnation, number })
    }),
  )
}

const helloTo = (to: string, { cluster, id: from, incarnation }: Self): Uint8Array =>
  encodeHello({ cluster, from, to, incarnation })

export function readHello(answer: Frame, expected: 'hello' | 'welcome'): Hello {
  if (answer.type !== expected) throw outOfPlace(answer, expected)
  const hello = decodeHello(answer.head)
  if ('type' in hello) throw new Failure('bad-frame', hello.reason)
  return hello
}

/** The proof, where there is one, comes before the words. */
function judge(hello: Hello, proven: string | undefined, self: Self): Hello {
  if (hello.cluster !== self.cluster) {
    throw refusal(`it is of cluster ${quote(hello.cluster)}, this is ${quote(self.cluster)}`)
  }
  if (hello.from === self.id) throw refusal(`it is called ${quote(self.id)}, as this server is`)
  if (hello.to !== self.id) throw notThe(hello.to, { from: self.id })
  if (proven !== undefined && hello.from !== proven) {
    throw refusal(`it says that it is ${quote(hello.from)} and proves to be ${quote(proven)}`)
  }
  return hello
}

function outOfPlace(answer: Frame, expected: string): Failure {
  return answer.type === 'refuse'
    ? refusal(`it refused: ${quote(decodeText(answer.head) ?? '')}`)
    : new Failure('bad-frame', `a frame of type ${answer.type} instead of ${expected}`)
}

export const refusal = (message: string): Failure => new Failure('peer-refused', message)

const notThe = (expected: string, { from }: { from: string }): Failure =>
  refusal(`dialled for ${quote(expected)}, and it is ${quote(from)}`)
