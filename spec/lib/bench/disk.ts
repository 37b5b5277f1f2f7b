import type {
  ChunkRead,
  ChunkRefused,
  ChunkWritten,
  Forget,
  ReadChunk,
  Restored,
  Save,
  Saved,
  WriteChunk,
} from '../../../lib/storage.ts'
import type { Step } from '../../../lib/turn.ts'
import type { Ballot, Index, Mark, Position } from '../../../lib/types.ts'
import { batchOf, entriesOf, type Entry } from './entries.ts'
import { forget, nothing, replace, type Span } from './span.ts'

/** A whole snapshot, or one that is being written. */
export interface Kept {
  readonly mark: Mark
  readonly bytes: Uint8Array
}

/** Bytes of a snapshot that are read at once. */
const PIECE = 150

/**
 * A disk in the words of `lib/storage.ts`, whose every work waits until a test completes it: saves in their
 * order, snapshots in another.
 */
export class Disk implements Span {
  /** What a crash leaves. */
  ballot: Ballot = { term: 0, vote: undefined }
  base: Position = nothing.base
  log: readonly Entry[] = []
  snapshot: Kept | undefined
  /** Saves that were handed over and are not durable yet, oldest first. */
  pending: readonly Save[] = []
  /** Everything else that is asked and not done, oldest first. */
  asked: readonly (WriteChunk | ReadChunk | Forget)[] = []
  #draft: Kept | undefined

  take({ save, disk }: Step): void {
    if (save !== undefined) this.write(save)
    this.asked = [...this.asked, ...disk]
  }

  write(save: Save): void {
    this.pending = [...this.pending, save]
  }

  /** Makes the oldest save durable. */
  complete(): Saved {
    const [save, ...others] = this.pending
    if (save === undefined) throw new Error('nothing is being saved')
    this.pending = others
    this.#keep(save, save.batches.length)
    return { type: 'saved', sequence: save.sequence, term: save.term }
  }

  /** Does the oldest of what is asked besides; a write finds bytes that are not right when it `spoils`. */
  work(spoils = false): ChunkWritten | ChunkRefused | ChunkRead | undefined {
    const [request, ...others] = this.asked
    if (request === undefined) throw new Error('nothing is asked')
    this.asked = others
    switch (request.type) {
      case 'writeChunk':
        return this.#writeChunk(request, spoils)
      case 'readChunk':
        return this.#readChunk(request)
      case 'forget':
        this.#forget(request.before)
        return undefined
    }
  }

  /**
   * Loses what is not durable. Of the saves under way, the oldest `whole` happened to reach the disk,
   * and of the next one its ballot with the first `part` batches, when `part` is given; of what was asked
   * besides, the oldest `done` was done.
   */
  crash(whole = 0, part?: number, done = 0): void {
    for (const save of this.pending.slice(0, whole)) this.#keep(save, save.batches.length)
    const torn = this.pending[whole]
    if (torn !== undefined && part !== undefined) this.#keep(torn, part)
    for (let i = 0; i < done && this.asked.length > 0; i++) this.work()
    this.pending = []
    this.asked = []
    this.#draft = undefined
  }

  restored(): Restored {
    // One entry a batch: a storage need not keep the bounds of what it was given.
    const batches = this.log.map(({ index, term, kind, text }) =>
      batchOf(index, term, [text], kind),
    )
    const { mark: snapshot } = this.snapshot ?? {}
    return { type: 'restored', ...this.ballot, batches, ...(snapshot && { snapshot }) }
  }

  #keep({ term, vote, batches, reset }: Save, count: number): void {
    this.ballot = { term, vote }
    if (reset !== undefined) {
      if (!(this.snapshot && this.snapshot.mark.index >= reset.index)) {
        throw new Error(`no snapshot stands for the log through ${reset.index}`)
      }
      this.base = reset
      this.log = []
    }
    this.log = replace(this, entriesOf(batches.slice(0, count))).log
  }

  #writeChunk(request: WriteChunk, spoils: boolean): ChunkWritten | ChunkRefused {
    const { mark, offset, bytes, isLast, checksum } = request
    const { index } = mark
    if (offset === 0) {
      const newest = this.snapshot?.mark.index ?? 0
      if (index < newest) throw new Error(`snapshot ${index} would replace ${newest}`)
      this.#draft = { mark, bytes: new Uint8Array() }
    }
    if (this.#draft?.mark.index !== index || this.#draft.bytes.length !== offset) {
      throw new Error(`a piece of snapshot ${index} at ${offset} follows nothing`)
    }
    const whole = joined(this.#draft.bytes, bytes)
    this.#draft = isLast ? undefined : { mark, bytes: whole }
    const isWrong = checksum !== undefined && checksum !== sumOf(whole)
    if (spoils || (isLast && isWrong)) {
      this.#draft = undefined
      return { type: 'chunkRefused', index }
    }
    if (isLast) this.snapshot = { mark, bytes: whole }
    return { type: 'chunkWritten', index, end: whole.length, isLast }
  }

  #readChunk({ index, offset, reader }: ReadChunk): ChunkRead {
    const answer = { type: 'chunkRead', reader, index, offset } as const
    const whole = this.snapshot?.mark.index === index ? this.snapshot.bytes : undefined
    const bytes = whole?.subarray(offset, offset + PIECE)
    const isLast = whole !== undefined && offset + PIECE >= whole.length
    return { ...answer, bytes, isLast, checksum: isLast ? sumOf(whole) : undefined }
  }

  #forget(before: Index): void {
    const covered = this.snapshot?.mark.index ?? 0
    if (before > covered + 1) throw new Error(`no snapshot stands for what is before ${before}`)
    const { base, log } = forget(this, before)
    this.base = base
    this.log = log
  }
}

/** A checksum, as far as the reducer can know; that of nothing is 0. */
export const sumOf = (bytes: Uint8Array): number =>
  bytes.reduce((sum, byte) => (sum * 31 + byte + 7) >>> 0, 0)

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0)
  return whole
}
