import { InvariantError } from '../../lib/errors.ts'
import type { ChunkRead, DiskFact, ReadChunk, WriteChunk } from '../../lib/storage.ts'
import type { Mark, Millis } from '../../lib/types.ts'
import type { VirtualClock } from './clock.ts'
import { Lane } from './lane.ts'
import type { Platter } from './platter.ts'

/** The disk that a shelf belongs to. */
export interface ShelfHost {
  /** How long a piece takes that is written or read now. */
  time(request: WriteChunk | ReadChunk): Millis
  isFull(): boolean
  /** Whether the sync of a whole snapshot fails, in which case the disk has failed. */
  failsSync(): boolean
  /** The snapshot is damaged, and the disk has failed. */
  failRead(): void
  answer(fact: DiskFact): void
  /** A snapshot is durable. */
  stored(mark: Mark): void
  /** A prepared bit has flipped. */
  garbled(): void
}

interface Draft {
  readonly mark: Mark
  readonly bytes: Uint8Array
}

/**
 * The snapshots of a disk in virtual time. Pieces are written one after the other and read one after the
 * other, beside each other and beside the saves. What is not whole when the power fails is gone.
 */
export class Shelf {
  /** Own snapshots that became whole, and those of other servers. */
  readonly counts = { taken: 0, installed: 0 }
  readonly #writes: Lane<WriteChunk>
  readonly #reads: Lane<ReadChunk>
  #draft: Draft | undefined
  #garblesNext = false

  constructor(
    clock: VirtualClock,
    private readonly platter: Platter,
    private readonly host: ShelfHost,
    private readonly pieceBytes: number,
  ) {
    const time = (request: WriteChunk | ReadChunk): Millis => host.time(request)
    this.#writes = new Lane(clock, time, (chunk: WriteChunk) => this.#write(chunk))
    this.#reads = new Lane(clock, time, (request: ReadChunk) => this.#read(request))
  }

  write(chunk: WriteChunk): void {
    this.#writes.push(chunk)
  }

  read(request: ReadChunk): void {
    this.#reads.push(request)
  }

  stall(isStalled: boolean): void {
    this.#writes.stall(isStalled)
    this.#reads.stall(isStalled)
  }

  /** A bit flips in the next piece that ends another server's snapshot, on its way to the disk. */
  garbleNext(garbles: boolean): void {
    this.#garblesNext = garbles
  }

  /** The power fails; a snapshot whose last piece is under way may be whole all the same. */
  lose(keepsLast: () => boolean): void {
    const last = this.#writes.first
    this.#writes.clear()
    this.#reads.clear()
    if (last?.isLast === true && !this.host.isFull() && keepsLast()) {
      this.#finish(this.#extend(last), last.checksum)
    }
    this.#draft = undefined
  }

  #write(chunk: WriteChunk): void {
    const { mark, isLast } = chunk
    const refused = { type: 'chunkRefused', index: mark.index } as const
    const draft = this.#extend(chunk)
    this.#draft = isLast ? undefined : draft
    if (this.host.isFull()) {
      this.#draft = undefined
      return this.host.answer(refused)
    }
    if (isLast && this.host.failsSync()) return
    const isWhole = !isLast || this.#finish(this.#arriving(chunk, draft), chunk.checksum)
    const end = draft.bytes.length
    this.host.answer(isWhole ? { type: 'chunkWritten', index: mark.index, end, isLast } : refused)
  }

  #extend({ mark, offset, bytes }: WriteChunk): Draft {
    if (offset === 0) {
      this.platter.refuseOlder(mark)
      // They are good until the piece is answered.
      return { mark, bytes: bytes.slice() }
    }
    const draft = this.#draft
    if (draft?.mark.index !== mark.index || draft.bytes.length !== offset) {
      throw new InvariantError(`a piece at ${offset} of snapshot ${mark.index} follows nothing`)
    }
    return { mark, bytes: joined(draft.bytes, bytes) }
  }

  #arriving({ checksum }: WriteChunk, draft: Draft): Draft {
    if (checksum === undefined || !this.#garblesNext || draft.bytes.length === 0) return draft
    this.#garblesNext = false
    this.host.garbled()
    return { ...draft, bytes: draft.bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) }
  }

  /** Whether the snapshot is what it should be, and durable. */
  #finish({ mark, bytes }: Draft, expected?: number): boolean {
    const checksum = checksumOf(bytes)
    if (expected !== undefined && expected !== checksum) return false
    this.platter.store({ mark, bytes, checksum })
    this.counts[expected === undefined ? 'taken' : 'installed']++
    this.host.stored(mark)
    return true
  }

  #read(request: ReadChunk): void {
    const { snapshot } = this.platter
    const { index, offset } = request
    if (snapshot?.mark.index !== index || offset > snapshot.bytes.length) {
      return this.host.answer(found(request, undefined, false, undefined))
    }
    if (this.platter.isDamaged) return this.host.failRead()
    const bytes = snapshot.bytes.subarray(offset, offset + this.pieceBytes)
    const isLast = offset + bytes.length === snapshot.bytes.length
    this.host.answer(found(request, bytes, isLast, isLast ? snapshot.checksum : undefined))
  }
}

const found = (
  { reader, index, offset }: ReadChunk,
  bytes: Uint8Array | undefined,
  isLast: boolean,
  checksum: number | undefined,
): ChunkRead => ({ type: 'chunkRead', reader, index, offset, bytes, isLast, checksum })

function joined(before: Uint8Array, after: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(before.length + after.length)
  bytes.set(before)
  bytes.set(after, before.length)
  return bytes
}

/** FNV-1a, 0 for nothing as CRC-32 is: to everybody else a checksum is a number. */
function checksumOf(bytes: Uint8Array): number {
  let sum = 0x811c9dc5
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193)
  return (sum ^ 0x811c9dc5) >>> 0
}
