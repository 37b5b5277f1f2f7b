import { isUtf8 } from 'node:buffer'

/** A value as it stands in JSON. */
export interface Encoded {
  readonly value: string
  readonly encoding: 'utf8' | 'base64'
}

/** The value as text where it is UTF-8, else as base64. */
export function encodeValue(value: Uint8Array): Encoded {
  const encoding = isUtf8(value) ? 'utf8' : 'base64'
  const { buffer, byteOffset, byteLength } = value
  return { value: Buffer.from(buffer, byteOffset, byteLength).toString(encoding), encoding }
}
