import { Subscription, type Observable } from 'rxjs'
import type { Index } from '../../lib/types.ts'

/** What happened at an entry of the log. */
export interface Happened<T> {
  readonly index: Index
  readonly item: T
}

/** What happened from an index on, and where to read on. */
export interface Read<T> {
  /** In order; all that happened at one entry together. */
  readonly items: readonly Happened<T>[]
  /** Everything before this index was told. */
  readonly next: Index
}

/** Something that can be followed along the log. */
export interface Source<T> {
  /** The next piece, some hundred items at most; none when there is no more for now. Throws `Compacted`. */
  readonly read: (from: Index) => Read<T>
  /** Emits when there is more. */
  readonly grown$: Observable<unknown>
}

/** Whoever follows it. */
export interface Reader<T> {
  /** Whether nothing more is to come for now. */
  readonly isFull: () => boolean
  readonly told: (happened: Happened<T>, isLastOfEntry: boolean) => void
  /** Everything before this index was told. */
  readonly reached: (index: Index) => void
  readonly fail: (error: unknown) => void
}

/**
 * Follows a source from an index on, for a reader that may be slow: everything is read as fast as the reader takes it, so that
 * nothing piles up here. `pump` goes on when there is room again.
 */
export class Tail<T> {
  readonly #life = new Subscription()
  #next: Index
  #isCaughtUp = false
  #isPumping = false

  constructor(
    private readonly source: Source<T>,
    from: Index,
    private readonly reader: Reader<T>,
  ) {
    this.#next = from
    const grown = (): void => {
      if (this.#isCaughtUp) this.pump()
    }
    this.#life.add(
      source.grown$.subscribe({ next: grown, error: (error: unknown) => this.#fail(error) }),
    )
  }

  /** Reads on until there is no more, or no room. */
  pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    try {
      this.#isCaughtUp = false
      while (!this.#life.closed && !this.#isCaughtUp && !this.reader.isFull()) this.#readOn()
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isPumping = false
    }
  }

  unsubscribe(): void {
    this.#life.unsubscribe()
  }

  #readOn(): void {
    const { items, next } = this.source.read(this.#next)
    for (const [i, happened] of items.entries()) {
      this.reader.told(happened, items[i + 1]?.index !== happened.index)
    }
    // Nobody is to fall behind the log because there is nothing to tell.
    if (next > (items.at(-1)?.index ?? this.#next - 1) + 1) this.reader.reached(next)
    this.#isCaughtUp = items.length === 0
    this.#next = next
  }

  #fail(error: unknown): void {
    if (this.#life.closed) return
    this.#life.unsubscribe()
    this.reader.fail(error)
  }
}
