import { Observable, type OperatorFunction, type SchedulerLike, type Subscriber } from 'rxjs'
import type { Event } from '../../lib/events.ts'
import type { Piece, Step } from '../../lib/turn.ts'
import type { Index, Position } from '../../lib/types.ts'
import { monotonic } from './monotonic.ts'

/** A state machine as its snapshots see it. */
export interface Snapshots {
  /** Begins a snapshot of the present state, which goes on changing. */
  readonly capture: () => Capture
  /** Takes a piece of another state in. With the last one that takes the place of the present one. */
  readonly restore: (piece: Piece) => void
  /** The log before this entry is read no more. */
  readonly forget?: (before: Index) => void
}

/** A snapshot that is being taken, of the state after `position`. */
export interface Capture {
  readonly position: Position
  /** Calls one of the two, at once or later. The bytes are good until it is called again. */
  readonly next: (
    give: (bytes: Uint8Array, isLast: boolean) => void,
    fail: (error: unknown) => void,
  ) => void
  /** It is not asked any more. */
  readonly close: () => void
}

/**
 * Steps → pieces of the application's state, out of it and into it. A piece is made when a step asks for
 * it, so that a large state holds up nothing.
 *
 * ```
 * steps      --f----n---r--     f asks for the first piece, n for the next; r brings one
 * snapshots  ---c----c--d--     c: captured; d: restored
 * ```
 *
 * Completes with the steps. Errors with what the application throws, which stops the node.
 */
export function snapshots(
  machine: Snapshots,
  scheduler: SchedulerLike = monotonic,
): OperatorFunction<Step, Event> {
  return (steps) =>
    new Observable<Event>((subscriber) => {
      const pieces = new PieceByPiece(machine, scheduler, subscriber)
      subscriber.add(() => pieces.drop())
      return steps.subscribe({
        next: (step) => pieces.take(step),
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
    })
}

/** What one subscription takes out of the state machine and puts into it. */
class PieceByPiece {
  #present: Capture | undefined
  #offset = 0

  constructor(
    private readonly machine: Snapshots,
    private readonly scheduler: SchedulerLike,
    private readonly subscriber: Subscriber<Event>,
  ) {}

  take({ state, disk, restore, capture }: Step): void {
    try {
      if (state.taking === undefined) this.drop()
      for (const request of disk) {
        if (request.type === 'forget') this.machine.forget?.(request.before)
      }
      if (restore !== undefined) this.#restore(restore)
      if (capture === 'first') this.#begin()
      if (capture !== undefined) this.#goOn()
    } catch (error) {
      this.subscriber.error(error)
    }
  }

  /** Nobody asks for more of it. */
  drop(): void {
    this.#present?.close()
    this.#present = undefined
  }

  #restore(piece: Piece): void {
    this.machine.restore(piece)
    const { mark, isLast } = piece
    const { index } = mark
    this.subscriber.next({ type: 'pieceRestored', at: this.scheduler.now(), index, isLast })
  }

  #begin(): void {
    this.drop()
    this.#present = this.machine.capture()
    this.#offset = 0
  }

  #goOn(): void {
    const taken = this.#present
    // Another one may have begun when the answer comes.
    taken?.next(
      (bytes, isLast) => {
        if (taken === this.#present) this.#give(taken, bytes, isLast)
      },
      (error) => {
        if (taken === this.#present) this.subscriber.error(error)
      },
    )
  }

  #give({ position }: Capture, bytes: Uint8Array, isLast: boolean): void {
    const offset = this.#offset
    this.#offset += bytes.length
    if (isLast) this.drop()
    const at = this.scheduler.now()
    this.subscriber.next({ type: 'captured', at, ...position, offset, bytes, isLast })
  }
}
