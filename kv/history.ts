import { asapScheduler, audit, scheduled, Subject, type Observable } from 'rxjs'
import type { Applied, Index } from 'rxraft'
import type { Command, Result, StoreNode, Version } from './machine.ts'

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
  /** From `#head` on these are kept; what is before it waits to be cut off. */
  #changes: Change[] = []
  #head = 0
  /** Position of `#changes[0]`. */
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
    return this.#offset + this.#changes.length
  }

  /** The change at a position; `undefined` when it is no longer kept, or is still to come. */
  at(position: number): Change | undefined {
    const i = position - this.#offset
    return i < this.#head ? undefined : this.#changes[i]
  }

  /** The position of the first kept change whose index is at least `from`. */
  seek(from: Index): number {
    let low = this.#head
    let high = this.#changes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#changes[middle]!.version < from) low = middle + 1
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
    if (expired === undefined) this.#push(changeOf(command, index))
    else for (const change of expiries(expired, index)) this.#push(change)
    if (expired?.length === 0) return
    while (this.#isFull()) this.#forget()
    if (this.#head * 2 > this.#changes.length) this.#cut()
    this.#grown$.next()
  }

  #push(change: Change): void {
    this.#changes.push(change)
    this.#bytes += sizeOf(change)
  }

  /** A snapshot stands for everything through this index: what changed there is not told. */
  #jump(through: Index): void {
    if (through <= this.#last) return
    // One position is skipped: who waits there finds nothing, and so hears of the gap.
    this.#offset = this.end + 1
    this.#changes = []
    this.#head = 0
    this.#bytes = 0
    this.#first = through + 1
    this.#last = through
    this.#grown$.next()
  }

  #isFull(): boolean {
    const kept = this.#changes.length - this.#head
    return kept > this.#maxChanges || (this.#bytes > this.#maxBytes && kept > 1)
  }

  #forget(): void {
    const oldest = this.#changes[this.#head++]!
    this.#bytes -= sizeOf(oldest)
    this.#first = oldest.version + 1
  }

  /** Waits until half of the array is forgotten, so that moving the rest costs little per change. */
  #cut(): void {
    this.#offset += this.#head
    this.#changes = this.#changes.slice(this.#head)
    this.#head = 0
  }
}

function changeOf(command: Command, version: Version): Change {
  if (command[0] === 'once') return changeOf(command[3], version)
  if (command[0] === 'time') throw new TypeError('time has passed without an account of it')
  const [type, key] = command
  return type === 'put' ? { type, key, value: command[2], version } : { type, key, version }
}

const expiries = (keys: readonly string[], version: Version): Change[] =>
  keys.map((key, i) => ({
    ...{ type: 'delete', key, version, expired: true },
    ...(i < keys.length - 1 && { more: true }),
  }))

const sizeOf = (change: Change): number =>
  change.key.length + (change.type === 'put' ? change.value.length : 0)
