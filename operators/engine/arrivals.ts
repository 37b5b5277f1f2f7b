import { Stopped } from '../../lib/errors.ts'
import type { Index } from '../../lib/types.ts'
import type { Places } from './places.ts'
import type { Asked } from './questions.ts'
import { guarded } from './report.ts'

/** Questions that wait until this server has applied an index, whatever the others do. */
export class Arrivals {
  readonly #waiting = new Set<Asked & { readonly index: Index }>()
  /** No question waits for an earlier index. */
  #next: Index = Infinity
  #stopped: Stopped | undefined

  constructor(private readonly places: Places) {}

  /** Waits for `index`. The returned function takes the question back. */
  wait(index: Index, { answer, fail }: Asked): () => void {
    const refusal = this.#stopped ?? this.places.take()
    if (refusal !== undefined) {
      fail(refusal)
      return () => undefined
    }
    const question = { index, answer, fail }
    this.#waiting.add(question)
    this.#next = Math.min(this.#next, index)
    return () => this.#leave(question)
  }

  /** This server has applied everything through `index`. */
  reached(index: Index): void {
    if (index < this.#next) return
    const ready = [...this.#waiting].filter((question) => question.index <= index)
    for (const question of ready) this.#leave(question)
    this.#next = Infinity
    for (const question of this.#waiting) this.#next = Math.min(this.#next, question.index)
    for (const question of ready) guarded(() => question.answer())
  }

  stop(cause?: unknown): void {
    if (this.#stopped !== undefined) return
    const stopped = new Stopped('none', cause === undefined ? undefined : { cause })
    this.#stopped = stopped
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const question of waiting) guarded(() => question.fail(stopped))
  }

  #leave(question: Asked & { readonly index: Index }): void {
    if (this.#waiting.delete(question)) this.places.leave()
  }
}
