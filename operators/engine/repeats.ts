import type { Index } from '../../lib/types.ts'

/** How they stand in a snapshot. */
export interface RepeatsPiece {
  readonly base: Index
  readonly indexes: readonly Index[]
}

/**
 * The entries at which a request was not applied, because it had been before or came too late: as far
 * back as the log reaches, whose readers are not to count a command twice.
 */
export class Repeats {
  readonly #indexes: Set<Index>

  /** `base`: what came up to it is not known. `indexes`: ascending. */
  constructor({ base, indexes }: RepeatsPiece = { base: 0, indexes: [] }) {
    this.#base = base
    this.#indexes = new Set(indexes)
  }

  #base: Index

  get base(): Index {
    return this.#base
  }

  /** Adds the latest entry. */
  add(index: Index): void {
    this.#indexes.add(index)
  }

  has(index: Index): boolean {
    return this.#indexes.has(index)
  }

  /** Nobody reads the log before this entry any more. */
  forget(before: Index): void {
    this.#base = Math.max(this.#base, before - 1)
    for (const index of this.#indexes) {
      if (index >= before) return
      this.#indexes.delete(index)
    }
  }

  piece(): RepeatsPiece {
    return { base: this.#base, indexes: [...this.#indexes] }
  }
}
