import { Slab } from '../../../lib/slab.ts'
import { crc32 } from '../../crc32.ts'
import { readU32, writeU32 } from '../integers.ts'
import { malformed, type Malformed } from '../malformed.ts'

/**
 * What travels on a connection: a header, a head and a body. Only messages have a body.
 *
 * | at | bytes | what                                                         |
 * |----|-------|--------------------------------------------------------------|
 * | 0  | 4     | CRC-32 of everything from byte 4 to the end of the head      |
 * | 4  | 1     | version of this protocol                                     |
 * | 5  | 1     | kind of frame                                                |
 * | 6  | 4     | length of head and body together                             |
 * | 10 | 4     | length of the head                                           |
 * | 14 | 4     | CRC-32 of the body                                           |
 */
export interface Frame {
  readonly type: FrameType
  /** A view that is good until the next frame is asked for. */
  readonly head: Uint8Array
  /** In memory that is never written again. */
  readonly body: Uint8Array
  readonly bodyCrc: number
}

export type FrameType = keyof typeof codes

const VERSION = 1
export const HEADER_BYTES = 18

const codes = {
  ...{ hello: 1, welcome: 2, open: 3, refuse: 4, ping: 5, pong: 6, message: 7 },
  ...{ challenge: 8, proof: 9 },
} as const
const typeOfCode: ReadonlyMap<number, FrameType> = new Map(
  Object.entries(codes).map(([type, code]) => [code, type as FrameType]),
)

const NOTHING = new Uint8Array(0)

/** Writes the header at `start`, before a head that is already there and ends at `end`. */
export function writeHeader(
  into: Uint8Array,
  start: number,
  end: number,
  type: FrameType,
  bodyLength = 0,
  bodyCrc = 0,
): void {
  const headLength = end - start - HEADER_BYTES
  into[start + 4] = VERSION
  into[start + 5] = codes[type]
  writeU32(into, start + 6, headLength + bodyLength)
  writeU32(into, start + 10, headLength)
  writeU32(into, start + 14, bodyCrc)
  writeU32(into, start, crc32(into.subarray(start + 4, end)))
}

/** A whole frame without a body. */
export function frame(type: FrameType, head: Uint8Array = NOTHING): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + head.length)
  bytes.set(head, HEADER_BYTES)
  writeHeader(bytes, 0, bytes.length, type)
  return bytes
}

interface Header {
  readonly type: FrameType
  readonly headLength: number
  readonly bodyLength: number
  readonly crc: number
  /** CRC of the header's own bytes, with which the one of the head goes on. */
  readonly ownCrc: number
  readonly bodyCrc: number
}

/**
 * Cuts a stream of bytes into frames: `push` each chunk, then ask for `next` until there is none. A
 * body is copied once, to where it stays, so that no chunk outlives its frames; heads are read where they
 * lie. Lengths are compared with `limit` before any memory is taken for them.
 */
export class FrameReader {
  #chunk: Uint8Array = NOTHING
  #at = 0
  /** A piece that came in several chunks, as far as it has come. */
  #piece: Uint8Array | undefined
  #filled = 0
  #header: Header | undefined
  #head: Uint8Array | undefined

  /** @param limit Longest head and body together, in bytes. It may change between two frames. */
  constructor(
    public limit: number,
    private readonly bodies = new Slab(),
  ) {}

  /** Takes the next chunk. The one before must be used up. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk
    this.#at = 0
  }

  /** The next frame, `undefined` when it has not wholly arrived; after `Malformed` nothing more comes. */
  next(): Frame | Malformed | undefined {
    if (this.#header === undefined) {
      const bytes = this.#take(HEADER_BYTES)
      if (bytes === undefined) return undefined
      const header = this.#readHeader(bytes)
      if (header.type === 'malformed') return header
      this.#header = header
    }
    const { type, headLength, bodyLength, crc, ownCrc, bodyCrc } = this.#header
    if (this.#head === undefined) {
      const head = this.#take(headLength)
      if (head === undefined) return undefined
      if (crc32(head, ownCrc) !== crc) return malformed('the checksum of the head is wrong')
      // A view on a chunk must not wait for the next one: the body may take long to come.
      this.#head = this.#remaining() < bodyLength ? head.slice() : head
    }
    const body = bodyLength === 0 ? NOTHING : this.#takeBody(bodyLength)
    if (body === undefined) return undefined
    if (bodyLength > 0 && crc32(body) !== bodyCrc) {
      return malformed('the checksum of the body is wrong')
    }
    const head = this.#head
    this.#header = this.#head = undefined
    return { type, head, body, bodyCrc }
  }

  #remaining(): number {
    return this.#chunk.length - this.#at
  }

  #readHeader(bytes: Uint8Array): Header | Malformed {
    const version = bytes[4]!
    if (version !== VERSION) return malformed(`version ${version} is unknown, ${VERSION} expected`)
    const type = typeOfCode.get(bytes[5]!)
    if (type === undefined) return malformed(`no frame is of kind ${bytes[5]}`)
    const length = readU32(bytes, 6)
    const headLength = readU32(bytes, 10)
    const bodyLength = length - headLength
    if (length > this.limit) return malformed(`${length} bytes, at most ${this.limit} allowed`)
    if (bodyLength < 0) return malformed(`a head of ${headLength} in ${length} bytes`)
    if (bodyLength > 0 && type !== 'message') return malformed(`a body in a frame of type ${type}`)
    const ownCrc = crc32(bytes.subarray(4))
    return {
      type,
      headLength,
      bodyLength,
      crc: readU32(bytes, 0),
      ownCrc,
      bodyCrc: readU32(bytes, 14),
    }
  }

  /** The next `size` bytes in one piece, or `undefined` until they have all arrived. */
  #take(size: number): Uint8Array | undefined {
    if (this.#piece === undefined && this.#remaining() >= size) return this.#cut(size)
    this.#piece ??= new Uint8Array(size)
    const part = this.#cut(Math.min(size - this.#filled, this.#remaining()))
    this.#piece.set(part, this.#filled)
    this.#filled += part.length
    if (this.#filled < size) return undefined
    const piece = this.#piece
    this.#piece = undefined
    this.#filled = 0
    return piece
  }

  #takeBody(size: number): Uint8Array | undefined {
    const { bodies } = this
    const missing = size - bodies.size
    bodies.reserve(missing)
    bodies.add(this.#cut(Math.min(missing, this.#remaining())))
    return bodies.size < size ? undefined : bodies.take()
  }

  /** The next `size` bytes of the chunk, where they lie. */
  #cut(size: number): Uint8Array {
    this.#at += size
    return this.#chunk.subarray(this.#at - size, this.#at)
  }
}
