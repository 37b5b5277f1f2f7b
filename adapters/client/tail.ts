import { Subscription } from 'rxjs'
import type { Index } from '../../lib/types.ts'
import type { Commit, RaftNode } from '../../operators/engine/node.ts'

/** Commands that are read from the log at a time. */
const PIECE = 256

/** Whoever follows the log. */
export interface Reader<C> {
  /** Whether nothing more is to come for now. */
  readonly isFull: () => boolean
  readonly commit: (commit: Commit<C>) => void
  readonly fail: (error: unknown) => void
}

/**
 * Follows the log from an index on, for a reader that may be slow: everything is read from the log, as fast as
 * the reader takes it, so that nothing piles up here. `pump` goes on when there is room again.
 */
export class Tail<C> {
  readonly #life = new Subscription()
  #next: Index
  #isCaughtUp = false
  #isPumping = false

  constructor(
    private readonly node: Pick<RaftNode<C, unknown>, 'history' | 'status$'>,
    from: Index,
    private readonly reader: Reader<C>,
  ) {
    this.#next = from
    let applied = -1
    const fail = (error: unknown): void => this.#fail(error)
    const grown = ({ appliedIndex }: { readonly appliedIndex: Index }): void => {
      if (appliedIndex === applied) return
      applied = appliedIndex
      if (this.#isCaughtUp) this.pump()
    }
    this.#life.add(node.status$.subscribe({ next: grown, error: fail }))
  }

  /** Reads on until there is no more, or no room. */
  pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    try {
      this.#isCaughtUp = false
      while (!this.#life.closed && !this.reader.isFull()) {
        const commits = this.node.history(this.#next, PIECE)
        for (const commit of commits) this.reader.commit(commit)
        const last = commits.at(-1)
        this.#isCaughtUp = last === undefined
        if (last === undefined) return
        this.#next = last.index + 1
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isPumping = false
    }
  }

  unsubscribe(): void {
    this.#life.unsubscribe()
  }

  #fail(error: unknown): void {
    if (this.#life.closed) return
    this.#life.unsubscribe()
    this.reader.fail(error)
  }
}
