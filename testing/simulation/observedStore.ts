import type { Step } from '../../lib/turn.ts'
import type { Index } from '../../lib/types.ts'
import { store, type Contents, type StoreMachine } from './store.ts'

/** What a state machine holds when everything through `index` is applied. */
export interface StoreState {
  readonly index: Index
  readonly contents: Contents
}

/** The store of one server in one life, with a window in it. */
export class ObservedStore {
  /** What a snapshot brought, as long as nobody was told. */
  #restored: Contents | undefined
  /** What the first command behind a snapshot was applied to, as long as nobody was told. */
  #resumed: StoreState | undefined
  #isRestored = false

  /** The store for a node; a snapshot of it has so many bytes more. */
  machine(ballast: number): StoreMachine {
    return {
      ...store,
      apply: (contents, command, context) => {
        if (this.#isRestored) this.#resumed = { index: context.index - 1, contents }
        this.#isRestored = false
        return store.apply(contents, command, context)
      },
      *snapshot(contents) {
        yield* store.snapshot!(contents) as Iterable<unknown>
        for (let left = ballast; left > 0; left -= BALLAST.length) yield BALLAST.subarray(0, left)
      },
      restore: (contents, piece) => {
        this.#isRestored = true
        this.#restored = piece instanceof Uint8Array ? contents : store.restore!(contents, piece)
        return this.#restored
      },
    }
  }

  /** What a bystander should hear of: a state that is made of a snapshot, and what is built on it. */
  told({ restore, applied }: Step): StoreState | undefined {
    if (restore?.isLast === true && this.#restored !== undefined) {
      return { index: restore.mark.index, contents: this.#restored }
    }
    const last = applied.at(-1)?.batch
    if (this.#resumed === undefined || last === undefined) return undefined
    // What is applied may be ahead of what is known to be.
    if (last.index + last.count - 1 < this.#resumed.index) return undefined
    const resumed = this.#resumed
    this.#resumed = undefined
    return resumed
  }
}

/** 64 KiB, no two words of which are alike. */
const BALLAST = new Uint8Array(Uint32Array.from({ length: 16_384 }, (_, i) => i).buffer)
