import type { Install } from '../../../lib/messages.ts'
import type { Step } from '../../../lib/turn.ts'
import type { Index, Mark, Position, Term } from '../../../lib/types.ts'
import { sumOf, type Kept } from './disk.ts'
import type { Fact, Server } from './server.ts'
import { foundingMembers } from '../../../lib/members.ts'

export const markOf = (index: Index, term: Term = 1, voters = 'abc'): Mark => ({
  index,
  term,
  members: foundingMembers([...voters]),
})

/** Bytes that are the same wherever they are asked for. */
export const bytesOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + length) % 256)

/** A snapshot on a disk; the disk reads 150 bytes at once. */
export const keptOf = (index: Index, term: Term = 1, length = 100): Kept => ({
  mark: markOf(index, term),
  bytes: bytesOf(length),
})

/** A piece of a leader's snapshot, `size` bytes from `offset` on. */
export function installOf(term: Term, { mark, bytes }: Kept, offset = 0, size = Infinity): Install {
  const { index, term: indexTerm, members } = mark
  const piece = bytes.subarray(offset, offset + size)
  const isLast = offset + piece.length === bytes.length
  const checksum = isLast ? sumOf(bytes) : 0
  return {
    ...{ type: 'install', term, index, indexTerm, members, offset, bytes: piece, isLast },
    checksum,
  }
}

export const applied = (index: Index): Fact => ({ type: 'applied', index, batches: [] })

/** A piece of the state that the machine has after `position`. */
export const captured = (
  { index, term }: Position,
  offset: number,
  length: number,
  isLast: boolean,
): Fact => ({ type: 'captured', index, term, offset, bytes: bytesOf(length), isLast })

/** The state machine takes over the snapshot that the server begins with, to its end. */
export function restoreAll(server: Server): void {
  for (let i = 0; i < 100 && server.state.restoring !== undefined; i++) {
    const { restore }: Step = server.work()
    if (restore === undefined) continue
    const { mark, isLast } = restore
    server.take({ type: 'pieceRestored', index: mark.index, isLast })
  }
}

/** The server takes a snapshot in one piece, of what it has applied. */
export function snapshotNow(server: Server): Step {
  const { appliedIndex, log } = server.state
  const term = log.cells.findLast((batch) => batch.index <= appliedIndex)?.term ?? log.base.term
  server.take(captured({ index: appliedIndex, term }, 0, 100, true))
  return server.work()
}
