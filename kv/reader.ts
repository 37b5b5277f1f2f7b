import type { Index } from 'rxraft'
import type { Change, History } from './history.ts'

/** Reads a history that goes on, from an index that it still has: a position in what all readers share. */
export class Reader {
  #position: number

  constructor(
    private readonly history: History,
    private readonly prefix: string,
    private readonly from: Index,
  ) {
    this.#position = history.seek(from)
  }

  /** The next change of a key with the prefix; nothing when it is still to come. */
  read(): Change | 'forgotten' | undefined {
    const { history, prefix, from } = this
    while (this.#position < history.end) {
      const change = history.at(this.#position)
      if (change === undefined) {
        if (from < history.first) return 'forgotten'
        // What is forgotten is of before the index that was asked for.
        this.#position = history.seek(from)
        continue
      }
      this.#position++
      if (change.version >= from && change.key.startsWith(prefix)) return change
    }
    return undefined
  }
}
