import type { Batch } from '../../../lib/batch.ts'
import type { AppliedBatch, Piece, Step } from '../../../lib/turn.ts'
import type { Index, Position } from '../../../lib/types.ts'
import { joined } from './disk.ts'
import { entriesOf, type Entry } from './entries.ts'
import type { Fact } from './server.ts'

/** Bytes of a snapshot that are given at once. */
const PIECE = 120

/**
 * A state machine whose state is all that it was given, so that nothing can be missing in it unseen. What
 * it has to say waits until a test lets it.
 */
export class Machine {
  /** Everything through `position`. */
  state: readonly Entry[] = []
  /** Pieces that were asked for and taken over, oldest first. */
  pending: readonly Fact[] = []
  #unapplied: readonly Batch[] = []
  #capture: { readonly position: Position; readonly bytes: Uint8Array; end: number } | undefined
  #incoming: Uint8Array = new Uint8Array()

  get position(): Index {
    return this.state.length
  }

  take({ committed, capture, restore }: Step): void {
    this.#unapplied = [...this.#unapplied, ...committed]
    if (restore !== undefined) this.#restore(restore)
    if (capture === 'first') this.#begin()
    if (capture !== undefined) this.#goOn()
  }

  /** Applies what it was given; nothing when there is nothing. */
  apply(): Fact | undefined {
    const batches = this.#unapplied
    const last = batches.at(-1)
    if (last === undefined) return undefined
    this.#unapplied = []
    for (const entry of entriesOf(batches)) {
      if (entry.index <= this.position) continue
      if (entry.index !== this.position + 1) throw new Error(`entry ${this.position + 1} is missed`)
      this.state = [...this.state, entry]
    }
    const applied = batches.map((batch): AppliedBatch => ({ batch, outcomes: [] }))
    return { type: 'applied', index: last.index + last.count - 1, batches: applied }
  }

  /** The oldest of what it has to say. */
  say(): Fact {
    const [fact, ...others] = this.pending
    if (fact === undefined) throw new Error('the machine has nothing to say')
    this.pending = others
    return fact
  }

  #begin(): void {
    const { index, term } = this.state.at(-1)!
    const bytes = new TextEncoder().encode(JSON.stringify(this.state))
    this.#capture = { position: { index, term }, bytes, end: 0 }
  }

  #goOn(): void {
    const { position, bytes, end: offset } = this.#capture!
    const piece = bytes.subarray(offset, offset + PIECE)
    const end = (this.#capture!.end = offset + piece.length)
    const isLast = end === bytes.length
    this.pending = [
      ...this.pending,
      { type: 'captured', ...position, offset, bytes: piece, isLast },
    ]
  }

  #restore({ mark, offset, bytes, isLast }: Piece): void {
    const before = offset === 0 ? new Uint8Array() : this.#incoming
    if (before.length !== offset) throw new Error(`a piece at ${offset} follows nothing`)
    this.#incoming = joined(before, bytes)
    this.pending = [...this.pending, { type: 'pieceRestored', index: mark.index, isLast }]
    if (!isLast) return
    this.state = stateFrom(this.#incoming, mark)
    if (this.position !== mark.index) throw new Error(`the snapshot is not through ${mark.index}`)
  }
}

/** A witness's snapshot says how much there was, and nothing of it. */
function stateFrom(bytes: Uint8Array, { index: length, term }: Position): Entry[] {
  if (bytes.length > 0) return JSON.parse(new TextDecoder().decode(bytes)) as Entry[]
  return Array.from({ length }, (_, i) => ({ index: i + 1, term, kind: 'withheld', text: '' }))
}
