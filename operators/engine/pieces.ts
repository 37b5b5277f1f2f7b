import { LENGTH_BYTES, readLength, writeLength } from '../../lib/batch.ts'
import { structured } from '../codec.ts'

/** Bytes that are handed on at once, more only when one piece is longer. */
const CHUNK_BYTES = 256 * 1024

/** Pieces of a state, as a machine gives them. */
export type Pieces = Iterable<unknown> | AsyncIterable<unknown>

/** Turns the pieces of a state into chunks of bytes, one when one is asked for. */
export class Cutter {
  readonly #codec = structured()
  readonly #iterator: Iterator<unknown> | AsyncIterator<unknown>
  #chunks: Uint8Array[] = []
  #size = 0
  #isDone = false

  constructor(pieces: Pieces) {
    this.#iterator =
      Symbol.iterator in pieces ? pieces[Symbol.iterator]() : pieces[Symbol.asyncIterator]()
  }

  /** Calls `give` with the next chunk, or `fail` with what the machine throws. */
  next(give: (bytes: Uint8Array, isLast: boolean) => void, fail: (error: unknown) => void): void {
    try {
      while (!this.#isDone && this.#size <= CHUNK_BYTES) {
        const step = this.#iterator.next()
        if ('then' in step) {
          step.then((result) => this.#take(result)).then(() => this.next(give, fail), fail)
          return
        }
        this.#take(step)
      }
    } catch (error) {
      return fail(error)
    }
    this.#give(give)
  }

  /** No more is wanted. */
  close(): void {
    if (this.#isDone) return
    this.#isDone = true
    // What it throws at the end is of no interest to anybody.
    const end = async (): Promise<unknown> => this.#iterator.return?.()
    end().catch(() => undefined)
  }

  #take({ done, value }: IteratorResult<unknown>): void {
    if (done === true) {
      this.#isDone = true
      return
    }
    const bytes = this.#codec.encode(value)
    const length = new Uint8Array(LENGTH_BYTES)
    writeLength(length, 0, bytes.length)
    this.#chunks.push(length, bytes)
    this.#size += LENGTH_BYTES + bytes.length
  }

  #give(give: (bytes: Uint8Array, isLast: boolean) => void): void {
    const all = join(this.#chunks)
    const rest = all.subarray(CHUNK_BYTES)
    this.#chunks = rest.length > 0 ? [rest] : []
    this.#size = rest.length
    give(all.subarray(0, CHUNK_BYTES), this.#isDone && rest.length === 0)
  }
}

/** Finds the pieces again, as far as their bytes have come. */
export class Joiner {
  readonly #codec = structured()
  #chunks: Uint8Array[] = []
  #size = 0
  /** Bytes that the next piece needs before it is whole. */
  #wanted = LENGTH_BYTES

  /** Takes a chunk and returns the pieces that it completes. */
  take(bytes: Uint8Array): unknown[] {
    this.#chunks.push(bytes)
    this.#size += bytes.length
    if (this.#size < this.#wanted) return []
    const all = join(this.#chunks)
    const pieces: unknown[] = []
    let at = 0
    while (at + LENGTH_BYTES <= all.length) {
      const end = at + LENGTH_BYTES + readLength(all, at)
      if (end > all.length) break
      pieces.push(this.#codec.decode(all.subarray(at + LENGTH_BYTES, end)))
      at = end
    }
    this.#keep(all.subarray(at))
    return pieces
  }

  #keep(rest: Uint8Array): void {
    this.#chunks = rest.length > 0 ? [rest] : []
    this.#size = rest.length
    this.#wanted = LENGTH_BYTES + (rest.length < LENGTH_BYTES ? 0 : readLength(rest, 0))
  }
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
