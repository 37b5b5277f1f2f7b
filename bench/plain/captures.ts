import type { Event } from '../../lib/events.ts'
import type { Step } from '../../lib/turn.ts'
import type { Capture, Snapshots } from '../../operators/engine/snapshots.ts'

/** Gives pieces of the state machine's state when a step asks for one. Nobody is sent a snapshot here. */
export class Captures {
  #present: Capture | undefined
  #offset = 0

  constructor(
    private readonly machine: Snapshots,
    private readonly raise: (event: Event) => void,
    private readonly fail: (error: unknown) => void,
  ) {}

  take({ state, disk, capture }: Step): void {
    for (const request of disk) {
      if (request.type === 'forget') this.machine.forget?.(request.before)
    }
    if (state.taking === undefined) this.#present = undefined
    if (capture === 'first') {
      this.#present = this.machine.capture()
      this.#offset = 0
    }
    if (capture !== undefined) this.#present?.next(this.#give, this.fail)
  }

  readonly #give = (bytes: Uint8Array, isLast: boolean): void => {
    const offset = this.#offset
    this.#offset += bytes.length
    const { position } = this.#present!
    const at = performance.now()
    this.raise({ type: 'captured', at, ...position, offset, bytes, isLast })
  }
}
