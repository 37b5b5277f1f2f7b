import { Observable, type Subscriber } from 'rxjs'
import type { RaftError } from '../../lib/errors.ts'
import type { Index } from '../../lib/types.ts'
import { ASK } from './codes.ts'
import type { Courier, Passenger } from './courier.ts'
import { Failed } from './errors.ts'
import type { Link } from './link.ts'
import type { Sheaf } from './sheaf.ts'
import type { Happened } from './tail.ts'

/** What is to be followed. */
export interface Followed<T> {
  /** Writes what is asked, from an index on; 0 for what comes from now on. */
  readonly write: (sheaf: Sheaf, id: number, from: Index) => void
  readonly decode: (bytes: Uint8Array) => T
}

/** All commands. */
export const commits = <C>(decode: (bytes: Uint8Array) => C): Followed<C> => ({
  write: (sheaf, id, from) => {
    sheaf.item(ASK.commits, id, 8)
    sheaf.u53(from)
  },
  decode,
})

/** What the servers let clients watch. */
export const watched = (
  what: Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
): Followed<unknown> => ({
  write: (sheaf, id, from) => {
    sheaf.item(ASK.watch, id, 8)
    sheaf.u53(from)
    sheaf.piece(what)
  },
  decode,
})

/** What happens from an index on, through whichever server there is: goes on behind the last that came. */
export const follow = <T>(
  courier: Courier,
  followed: Followed<T>,
  from: Index,
): Observable<Happened<T>> =>
  new Observable((subscriber) => {
    const follower = new Follower(courier, followed, from, subscriber)
    follower.board()
    return () => follower.stop()
  })

class Follower<T> implements Passenger {
  /** How many were told of the entry at `#next`. */
  #told = 0
  #next: Index
  stop = (): void => undefined

  constructor(
    private readonly courier: Courier,
    private readonly followed: Followed<T>,
    from: Index,
    private readonly subscriber: Subscriber<Happened<T>>,
  ) {
    this.#next = from
  }

  /** Waits for a link. */
  board(): void {
    this.stop = this.courier.board(this)
  }

  boarded(link: Link): void {
    let known = this.#told
    const id = link.ask({
      write: (sheaf, id) => this.followed.write(sheaf, id, this.#next),
      told: (bytes, index, isLast) => {
        const isKnown = known > 0
        known -= isKnown ? 1 : 0
        this.#told = isLast ? 0 : this.#told + (isKnown ? 0 : 1)
        if (isLast) this.#next = index + 1
        if (!isKnown) give(this.subscriber, index, () => this.followed.decode(bytes))
      },
      reached: (index) => {
        this.#next = index
        this.#told = 0
      },
      failed: (error: RaftError) => {
        if (error.retryable) this.stop = this.courier.later(() => this.board())
        else this.subscriber.error(error)
      },
      dropped: () => this.board(),
    })
    this.stop = () => link.cancel(id)
  }

  fail(error: RaftError): void {
    this.subscriber.error(error)
  }

  complete(): void {
    this.subscriber.complete()
  }
}

function give<T>(subscriber: Subscriber<Happened<T>>, index: Index, decode: () => T): void {
  let item: T
  try {
    item = decode()
  } catch (error) {
    const message = `what happened at index ${index} cannot be decoded: ${String(error)}`
    return subscriber.error(new Failed('undecodable', message, 'none', false))
  }
  subscriber.next({ index, item })
}
