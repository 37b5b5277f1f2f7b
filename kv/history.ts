import { asapScheduler, audit, scheduled, Subject, type Observable } from 'rxjs'
import type { Applied, Index } from 'rxraft'
import type { Command, Result, StoreNode, Version } from './machine.ts'
import { DELETED, EXPIRED, EXPIRED_WITH_MORE, Pages, PUT, type Kind, type Row } from './pages.ts'

/** A write that took effect. */
export type Change =
  | {
      readonly type: 'put'
      readonly key: string
      readonly value: Uint8Array
      readonly version: Version
    }
  | Deletion

interface Deletion {
  readonly type: 'delete'
  readonly key: string
  readonly version: Version
  /** Whether the key's time had come. */
  readonly expired?: true
  /** Whether another key went with the same entry, and comes after this one. */
  readonly more?: true
}

export interface HistoryLimits {
  /** Changes to keep, the newest. Default 100,000. */
  readonly changes?: number
  /** Bytes to keep, of keys and values; the newest change is kept in any case. Default 64 MiB. */
  readonly bytes?: number
}

/**
 * The newest changes in order, for those who watch: bounded, and shared by all of them. A reader
 * holds no more than a position, which counts the changes since the start.
 */
export class History {
  /** Emits after changes were added or jumped over, once for all that came together; completes with the node. */
  readonly grown$: Observable<void>

  readonly #grown$ = new Subject<void>()
  readonly #maxChanges: number
  readonly #maxBytes: number
  #pages = new Pages()
  /** Position of the first change that is kept. */
  #offset = 0
  #bytes = 0
  #first: Index = 1
  #last: Index = 0

  /** Must be there before the node connects, so that it misses nothing. */
  constructor(
    { commits$, restored$ }: Pick<StoreNode, 'commits$' | 'restored$'>,
    limits: HistoryLimits = {},
  ) {
    this.#maxChanges = limits.changes ?? 100_000
    this.#maxBytes = limits.bytes ?? 64 * 1024 * 1024
    this.grown$ = this.#grown$.pipe(audit(() => scheduled([undefined], asapScheduler)))
    restored$.subscribe({ next: (through) => this.#jump(through), error: () => undefined })
    commits$.subscribe({
      next: (commit) => this.#add(commit),
      error: () => this.#grown$.complete(),
      complete: () => this.#grown$.complete(),
    })
  }

  /** From this index on no change is missing. */
  get first(): Index {
    return this.#first
  }

  /** The newest command, whether it changed anything or not. */
  get last(): Index {
    return this.#last
  }

  /** The position after the newest change. */
  get end(): number {
    return this.#offset + this.#pages.length
  }

  /** The change at a position; `undefined` when it is no longer kept, or is still to come. */
  at(position: number): Change | undefined {
    const row = this.#pages.at(position - this.#offset)
    return row && changeOf(row)
  }

  /** The position of the first kept change whose index is at least `from`. */
  seek(from: Index): number {
    let low = 0
    let high = this.#pages.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#pages.versionAt(middle) < from) low = middle + 1
      else high = middle
    }
    return this.#offset + low
  }

  #add(applied: Applied<Command, Result>): void {
    const { index, command } = applied
    if (index < this.#first) return
    this.#last = index
    if (!applied.ok || !applied.result.ok || applied.result.first !== undefined) return
    const { expired } = applied.result
    if (expired?.length === 0) return
    if (expired === undefined) this.#write(command, index)
    else this.#expire(expired, index)
    while (this.#isFull()) this.#forget()
    this.#grown$.next()
  }

  #write(command: Command, version: Version): void {
    if (command[0] === 'once') return this.#write(command[3], version)
    if (command[0] === 'time') throw new TypeError('time has passed without an account of it')
    if (command[0] === 'put') this.#push(PUT, command[1], command[2], version)
    else this.#push(DELETED, command[1], NOTHING, version)
  }

  #expire(keys: readonly string[], version: Version): void {
    for (let i = 0; i < keys.length; i++) {
      const kind = i < keys.length - 1 ? EXPIRED_WITH_MORE : EXPIRED
      this.#push(kind, keys[i]!, NOTHING, version)
    }
  }

  #push(kind: Kind, key: string, value: Uint8Array, version: Version): void {
    this.#pages.push(kind, key, value, version)
    this.#bytes += key.length + value.length
  }

  /** A snapshot stands for everything through this index: what changed there is not told. */
  #jump(through: Index): void {
    if (through <= this.#last) return
    // One position is skipped: who waits there finds nothing, and so hears of the gap.
    this.#offset = this.end + 1
    this.#pages = new Pages()
    this.#bytes = 0
    this.#first = through + 1
    this.#last = through
    this.#grown$.next()
  }

  #isFull(): boolean {
    const kept = this.#pages.length
    return kept > this.#maxChanges || (this.#bytes > this.#maxBytes && kept > 1)
  }

  #forget(): void {
    this.#first = this.#pages.versionAt(0) + 1
    this.#bytes -= this.#pages.sizeAt(0)
    this.#offset++
    this.#pages.shift()
  }
}

const NOTHING = new Uint8Array(0)

function changeOf({ kind, key, value, version }: Row): Change {
  switch (kind) {
    case PUT:
      return { type: 'put', key, value, version }
    case DELETED:
      return { type: 'delete', key, version }
    case EXPIRED:
      return { type: 'delete', key, version, expired: true }
    case EXPIRED_WITH_MORE:
      return { type: 'delete', key, version, expired: true, more: true }
  }
}
