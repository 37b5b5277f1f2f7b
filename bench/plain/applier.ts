import { lastIndexOf, type Batch } from '../../lib/batch.ts'
import type { Event } from '../../lib/events.ts'
import type { AppliedBatch } from '../../lib/turn.ts'

/** After so many milliseconds of applying, everything else has its turn, as in the engine. */
const SLICE = 10

/** Gives committed batches to the state machine, in their order. */
export class Applier {
  #backlog: Batch[] = []
  #isWaiting = false

  constructor(
    private readonly apply: (batch: Batch) => AppliedBatch,
    private readonly raise: (event: Event) => void,
  ) {}

  take(committed: readonly Batch[]): void {
    for (const batch of committed) this.#backlog.push(batch)
    if (this.#backlog.length > 0 && !this.#isWaiting) this.#work()
  }

  readonly #work = (): void => {
    this.#isWaiting = false
    const at = performance.now()
    const batches: AppliedBatch[] = []
    do batches.push(this.apply(this.#backlog[batches.length]!))
    while (batches.length < this.#backlog.length && performance.now() - at < SLICE)
    this.#backlog = this.#backlog.slice(batches.length)
    if (this.#backlog.length > 0) {
      this.#isWaiting = true
      setTimeout(this.#work, 0)
    }
    this.raise({ type: 'applied', at, index: lastIndexOf(batches.at(-1)!.batch), batches })
  }
}
