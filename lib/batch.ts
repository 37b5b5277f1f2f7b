import type { Index, Term } from './types.ts'

/**
 * What the entries of a batch are: `command` for the application's, `noop` for the empty entry that
 * begins a leader's term (§8), `members` for a configuration (§6), alone in its batch, `request` for a
 * command to be applied once however often it stands in the log (§8, `sessions.ts`), `withheld` for what is a
 * command or a request in the log of others: a witness has its place and no payload (`witnesses.ts`).
 */
export type Kind = 'command' | 'noop' | 'members' | 'request' | 'withheld'

/**
 * A run of consecutive log entries of one term and one kind, encoded once by the leader that took
 * them in. The same bytes lie in the log, travel on the wire and stand in the file.
 *
 * `bytes` is `count` times a payload's length (4 bytes, little endian) and the payload. The array is
 * never written to after the batch exists.
 */
export interface Batch {
  /** Index of the first entry. */
  readonly index: Index
  readonly term: Term
  readonly kind: Kind
  /** Number of entries, at least 1. */
  readonly count: number
  readonly bytes: Uint8Array
}

/** Bytes that stand before each payload. */
export const LENGTH_BYTES = 4

export const lastIndexOf = (batch: Batch): Index => batch.index + batch.count - 1

/** The empty entry that a new leader commits first (§8). */
export const noop = (index: Index, term: Term): Batch => ({
  index,
  term,
  kind: 'noop',
  count: 1,
  bytes: new Uint8Array(LENGTH_BYTES),
})

/** The batch as a witness gets it: each command's payload is empty. */
export function withhold(batch: Batch): Batch {
  const { index, term, kind, count } = batch
  if (kind === 'noop' || kind === 'members') return batch
  return { index, term, kind: 'withheld', count, bytes: new Uint8Array(count * LENGTH_BYTES) }
}

export function readLength(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset]! |
      (bytes[offset + 1]! << 8) |
      (bytes[offset + 2]! << 16) |
      (bytes[offset + 3]! << 24)) >>>
    0
  )
}

export function writeLength(bytes: Uint8Array, offset: number, length: number): void {
  bytes[offset] = length
  bytes[offset + 1] = length >>> 8
  bytes[offset + 2] = length >>> 16
  bytes[offset + 3] = length >>> 24
}

/** Payloads in the form that {@link Batch.bytes} has. */
export function pack(payloads: readonly Uint8Array[]): Uint8Array {
  const size = payloads.reduce((sum, payload) => sum + LENGTH_BYTES + payload.length, 0)
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const payload of payloads) {
    writeLength(bytes, offset, payload.length)
    bytes.set(payload, offset + LENGTH_BYTES)
    offset += LENGTH_BYTES + payload.length
  }
  return bytes
}

/** What `visit` makes of each payload of a batch, in order: of the bytes from `start` to `end`. */
export function mapPayloads<T>(
  { index, count, bytes }: Batch,
  visit: (bytes: Uint8Array, start: number, end: number, index: Index) => T,
): T[] {
  const made = new Array<T>(count)
  let offset = 0
  for (let i = 0; i < count; i++) {
    const start = offset + LENGTH_BYTES
    offset = start + readLength(bytes, offset)
    made[i] = visit(bytes, start, offset, index + i)
  }
  return made
}

/** The payloads of a batch, in order, as views on its bytes. */
export const unpack = (batch: Batch): Uint8Array[] =>
  mapPayloads(batch, (bytes, start, end) => bytes.subarray(start, end))

/** Whether `bytes` holds exactly `count` payloads: what arrives from outside is asked this first. */
export function isPacked(bytes: Uint8Array, count: number, kind: Kind = 'command'): boolean {
  if (kind === 'withheld' && bytes.length !== count * LENGTH_BYTES) return false
  let offset = 0
  for (let i = 0; i < count; i++) {
    if (offset + LENGTH_BYTES > bytes.length) return false
    offset += LENGTH_BYTES + readLength(bytes, offset)
  }
  return offset === bytes.length
}

/** The entries of a batch that lie within `from` to `to`, as a view: nothing is copied. */
export function slice(batch: Batch, from: Index, to: Index): Batch {
  const first = Math.max(from, batch.index)
  const last = Math.min(to, lastIndexOf(batch))
  const count = last - first + 1
  if (count === batch.count) return batch
  const bytes = batch.bytes.subarray(offsetOf(batch, first), offsetOf(batch, last + 1))
  return { ...batch, index: first, count, bytes }
}

function offsetOf(batch: Batch, index: Index): number {
  let offset = 0
  for (let i = batch.index; i < index; i++) offset += LENGTH_BYTES + readLength(batch.bytes, offset)
  return offset
}
