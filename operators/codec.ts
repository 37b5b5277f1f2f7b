import { Packr, RESET_BUFFER_MODE } from 'msgpackr'

/** How a command becomes the bytes that are stored and sent, and again a command. */
export interface Codec<T> {
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): T
  /** What `decode` makes of the bytes from `start` to `end`, without a view of them. Default: a view of them for `decode`. */
  decodeWithin?(bytes: Uint8Array, start: number, end: number): T
}

/** Decodes commands where they lie. */
export function decodingWithin<T>(codec: Codec<T>): Required<Codec<T>>['decodeWithin'] {
  if (codec.decodeWithin !== undefined) {
    return (bytes, start, end) => codec.decodeWithin!(bytes, start, end)
  }
  const view = viewing()
  return (bytes, start, end) => codec.decode(view(bytes, start, end))
}

/** As `subarray`, for many views of the same bytes: to ask these where they lie takes as long as to make a view. */
function viewing(): (bytes: Uint8Array, start: number, end: number) => Uint8Array {
  let seen: Uint8Array = new Uint8Array(0)
  let { buffer, byteOffset } = seen
  return (bytes, start, end) => {
    if (bytes !== seen) ({ buffer, byteOffset } = seen = bytes)
    return new Uint8Array(buffer, byteOffset + start, end - start)
  }
}

/**
 * MessagePack, the default: plain objects, arrays, strings, numbers, binary. A command arrives in
 * `apply` as it was decoded, also on the server that took it in: `undefined` fields, classes and
 * functions do not survive. Binary values are views on the log's memory: copy what is to stay, as a view
 * keeps up to 64 MiB of it in memory.
 */
export function msgpack<T>(): Codec<T> {
  const packr = new Packr({ useRecords: false, int64AsType: 'number' })
  return {
    encode: (value) => packr.pack(value),
    decode: (bytes) => packr.unpack(bytes) as T,
  }
}

/** For what goes into snapshots: everything that `structuredClone` can copy comes back as it was. */
export function structured(): Codec<unknown> {
  const packr = new Packr({ structuredClone: true, copyBuffers: true })
  return { encode: (value) => packr.pack(value), decode: (bytes) => packr.unpack(bytes) as unknown }
}

/** Encodes like `structured`, in memory that is used again: the bytes are good until anything else is encoded. */
export function fleeting(): Codec<unknown>['encode'] {
  const packr = new Packr({ structuredClone: true })
  return (value) => packr.pack(value, RESET_BUFFER_MODE)
}

/**
 * For commands that are bytes already. They arrive in `apply` as views on the log's memory: copy what is
 * to stay, as a view keeps up to 64 MiB of it in memory. They must not be written to.
 */
export const bytes: Codec<Uint8Array> = {
  encode: (value) => value,
  decode: (value) => value,
}
