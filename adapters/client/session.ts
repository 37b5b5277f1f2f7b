import type { Index, Term } from '../../lib/types.ts'
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
  /** No name below it is held. It rises when it is looked for. */
  #floor = 0
  /** Each at the place of its number, round and round. */
  readonly #held = new Array<Holder | undefined>(MAX_HELD).fill(undefined)

  constructor(
    readonly index: Index,
    readonly term: Term,
  ) {}

  get lowest(): number {
    while (this.#floor < this.#next && this.#held[this.#floor % MAX_HELD] === undefined) {
      this.#floor++
    }
    return this.#floor
  }

  /** The next number, or -1 when too many are held. */
  draw(holder: Holder): number {
    while (this.#next - this.#floor >= MAX_HELD && this.#next - this.lowest >= MAX_HELD) {
      if (this.#held[this.#floor % MAX_HELD]?.giveUp() !== true) return -1
      this.#held[this.#floor % MAX_HELD] = undefined
    }
    this.#held[this.#next % MAX_HELD] = holder
    return this.#next++
  }

  /** It is known what came of it, or nothing did. */
  release(sequence: number, holder: Holder): void {
    const at = sequence % MAX_HELD
    if (this.#held[at] === holder) this.#held[at] = undefined
  }
}
