import type { Index, NodeId, Term } from '../../lib/types.ts'
import type { Durable, Observation } from './observation.ts'

/** What the disks hold, as far as a bystander was told. */
export class Disks {
  readonly #held = new Map<NodeId, Durable>()
  readonly #highest = new Map<NodeId, Index>()
  readonly #excused = new Map<NodeId, Index>()

  observe(seen: Observation): void {
    if (seen.type === 'durable') {
      const { id, lastIndex } = seen
      this.#held.set(id, seen)
      this.#highest.set(id, Math.max(lastIndex, this.#highest.get(id) ?? 0))
    }
    if (seen.type === 'wiped') {
      this.#held.delete(seen.id)
      this.#excused.set(seen.id, this.#highest.get(seen.id) ?? 0)
    }
  }

  of(id: NodeId): Durable | undefined {
    return this.#held.get(id)
  }

  /**
   * Whether the disk holds the entry or a snapshot that stands for it, or may have held it before a fault wiped it: until the server gets
   * there again, what it had acknowledged is nobody's mistake.
   */
  holds(id: NodeId, index: Index, term: Term): boolean {
    const disk = this.of(id)
    if (disk?.termAt(index) === term || index < (disk?.snapshot?.mark.index ?? 0)) return true
    return index <= (this.#excused.get(id) ?? 0)
  }
}
