/** A frame is its payload's length (4 bytes), the number of its last command (8 bytes), and the payload. */
export const HEADER_BYTES = 12

/** An acknowledgement is the number of the last command on disk, 8 bytes. */
export const ACK_BYTES = 8

export function writeHeader(frame: Uint8Array, length: number, last: number): void {
  const view = new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES)
  view.setUint32(0, length, true)
  view.setFloat64(4, last, true)
}

/** Finds the ends of frames in a stream of chunks without copying their payloads. */
export class FrameReader {
  readonly #header = new Uint8Array(HEADER_BYTES)
  readonly #view = new DataView(this.#header.buffer)
  #headerBytes = 0
  #payloadBytes = 0
  /** The last command of the newest frame that has arrived whole. */
  last = 0

  read(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#headerBytes < HEADER_BYTES) {
        const end = Math.min(chunk.length, at + HEADER_BYTES - this.#headerBytes)
        this.#header.set(chunk.subarray(at, end), this.#headerBytes)
        this.#headerBytes += end - at
        at = end
        if (this.#headerBytes < HEADER_BYTES) return
        this.#payloadBytes = this.#view.getUint32(0, true)
      }
      const taken = Math.min(chunk.length - at, this.#payloadBytes)
      this.#payloadBytes -= taken
      at += taken
      if (this.#payloadBytes > 0) return
      this.last = this.#view.getFloat64(4, true)
      this.#headerBytes = 0
    }
  }
}

/** Reads acknowledgements, of which only the newest matters. */
export class AckReader {
  readonly #bytes = new Uint8Array(ACK_BYTES)
  readonly #view = new DataView(this.#bytes.buffer)
  #filled = 0
  last = 0

  read(chunk: Uint8Array): void {
    for (const byte of chunk) {
      this.#bytes[this.#filled++] = byte
      if (this.#filled < ACK_BYTES) continue
      this.last = this.#view.getFloat64(0, true)
      this.#filled = 0
    }
  }
}
