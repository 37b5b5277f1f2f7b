import type { NodeId } from '../../../lib/types.ts'
import { blocks } from './blocks.ts'
import { PIECE } from './snapshotFile.ts'

/**
 * Memory in which pieces of a snapshot are read, two rooms in turns for each reader: the piece before may still be
 * on its way. Memory of its own for each would have the collector go through a leader's whole state every few pieces.
 */
export class Rooms {
  readonly #rooms = new Map<NodeId, readonly [next: Buffer, last: Buffer]>()

  /** Room for the next piece that this one reads. */
  next(reader: NodeId): Buffer {
    const [next, last] = this.#rooms.get(reader) ?? [blocks(PIECE), blocks(PIECE)]
    this.#rooms.set(reader, [last, next])
    return next
  }

  /** This one has read the last piece. */
  leave(reader: NodeId): void {
    this.#rooms.delete(reader)
  }
}
