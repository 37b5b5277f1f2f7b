import type { Index, Term } from '../../lib/types.ts'
import { Numbered } from '../../operators/numbered.ts'
import type { Head } from './link.ts'

/** Names that a session may hold; beyond that, the oldest that nobody waits for are given up. */
const MAX_HELD = 16_384

/** Whoever holds a name. */
interface Holder {
  /** Gives it up for good, unless somebody waits for what comes of it. */
  readonly giveUp: () => boolean
}

/** The client's own session: where the names of its commands come from (docs/sessions.md). */
export class OwnSession implements Head {
  #next = 0
  readonly #held = new Numbered<Holder>()

  constructor(
    readonly index: Index,
    readonly term: Term,
  ) {}

  get lowest(): number {
    return this.#held.lowest ?? this.#next
  }

  /** The next number, or -1 when too many are held. */
  draw(holder: Holder): number {
    while (this.#next - this.lowest >= MAX_HELD) {
      const { lowest } = this
      if (this.#held.get(lowest)?.giveUp() !== true) return -1
      this.#held.take(lowest)
    }
    this.#held.set(this.#next, holder)
    return this.#next++
  }

  /** It is known what came of it, or nothing did. */
  release(sequence: number): void {
    this.#held.take(sequence)
  }
}
