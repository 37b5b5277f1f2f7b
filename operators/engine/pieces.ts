import { LENGTH_BYTES, readLength, writeLength } from '../../lib/batch.ts'
import { fleeting, structured } from '../codec.ts'

/** Bytes that are handed on at once, more only when one piece is longer. */
const CHUNK_BYTES = 256 * 1024

/** Pieces of a state, as a machine gives them. */
export type Pieces = Iterable<unknown> | AsyncIterable<unknown>

/**
 * Turns the pieces of a state into chunks of bytes, one when one is asked for. All of them lie in the same memory:
 * a chunk is good until the next one is asked for. Memory of its own for each would have the collector go through
 * the whole state every few chunks.
 */
export class Cutter {
  readonly #encode = fleeting()
  readonly #iterator: Iterator<unknown> | AsyncIterator<unknown>
  #bytes = new Uint8Array(0)
  /** What is not handed on lies between the two. */
  #start = 0
  #end = 0
  #isDone = false

  constructor(pieces: Pieces) {
    this.#iterator =
      Symbol.iterator in pieces ? pieces[Symbol.iterator]() : pieces[Symbol.asyncIterator]()
  }

  /** Calls `give` with the next chunk, or `fail` with what the machine throws. */
  next(give: (bytes: Uint8Array, isLast: boolean) => void, fail: (error: unknown) => void): void {
    try {
      while (!this.#isDone && this.#end - this.#start <= CHUNK_BYTES) {
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
    const start = this.#start
    this.#start = Math.min(start + CHUNK_BYTES, this.#end)
    give(this.#bytes.subarray(start, this.#start), this.#isDone && this.#start === this.#end)
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
    const piece = this.#encode(value)
    this.#reserve(LENGTH_BYTES + piece.length)
    writeLength(this.#bytes, this.#end, piece.length)
    this.#bytes.set(piece, this.#end + LENGTH_BYTES)
    this.#end += LENGTH_BYTES + piece.length
  }

  /** Makes room behind the end, over what was handed on. */
  #reserve(size: number): void {
    if (this.#end + size <= this.#bytes.length) return
    const rest = this.#bytes.subarray(this.#start, this.#end)
    if (rest.length + size > this.#bytes.length)
      this.#bytes = new Uint8Array(2 * (rest.length + size))
    this.#bytes.set(rest)
    this.#start = 0
    this.#end = rest.length
  }
}

/** Finds the pieces again, as far as their bytes have come. */
export class Joiner {
  readonly #codec = structured()
  /** What has come of a piece that came in several chunks, its length before it. */
  #part = new Uint8Array(0)
  #size = 0
  /** Bytes of it that are known to come: those of its length, at first. */
  #wanted = LENGTH_BYTES

  /** Takes a chunk and returns the pieces that it completes. */
  take(bytes: Uint8Array): unknown[] {
    const pieces: unknown[] = []
    for (let at = 0; at < bytes.length;) {
      const end = this.#size === 0 ? endOfPiece(bytes, at) : Infinity
      if (end <= bytes.length) {
        pieces.push(this.#codec.decode(bytes.subarray(at + LENGTH_BYTES, end)))
        at = end
      } else {
        const more = bytes.subarray(at, at + this.#wanted - this.#size)
        at += more.length
        if (this.#isWholeWith(more)) pieces.push(this.#takePart())
      }
    }
    return pieces
  }

  #isWholeWith(more: Uint8Array): boolean {
    if (this.#part.length < this.#wanted) {
      const part = this.#part.subarray(0, this.#size)
      this.#part = new Uint8Array(2 * this.#wanted)
      this.#part.set(part)
    }
    this.#part.set(more, this.#size)
    this.#size += more.length
    if (this.#size === LENGTH_BYTES) this.#wanted = endOfPiece(this.#part, 0)
    return this.#size === this.#wanted
  }

  #takePart(): unknown {
    const piece = this.#codec.decode(this.#part.subarray(LENGTH_BYTES, this.#size))
    if (this.#part.length > CHUNK_BYTES) this.#part = new Uint8Array(0)
    this.#size = 0
    this.#wanted = LENGTH_BYTES
    return piece
  }
}

/** Where the piece that begins at `at` ends; never, where its length is not there yet. */
const endOfPiece = (bytes: Uint8Array, at: number): number =>
  at + LENGTH_BYTES <= bytes.length ? at + LENGTH_BYTES + readLength(bytes, at) : Infinity
