import { readU53, writeU53 } from '../integers.ts'
import { malformed, type Malformed } from '../malformed.ts'

/** What each end says of itself before anything else: the one who dials first. */
export interface Hello {
  readonly cluster: string
  readonly from: string
  /** Whom it believes to talk to. */
  readonly to: string
  /** Tells two runs of one server apart, and two servers with one id. */
  readonly incarnation: string
}

const FIELDS = ['cluster', 'from', 'to', 'incarnation'] as const
const MAX_BYTES = 255

/** Four texts in UTF-8, each after its length in one byte. */
export function encodeHello(hello: Hello): Uint8Array {
  const encoder = new TextEncoder()
  const texts = FIELDS.map((name) => encoder.encode(hello[name]))
  return Uint8Array.from(texts.flatMap((text) => [text.length, ...text]))
}

/** Never throws, whatever the bytes are. */
export function decodeHello(head: Uint8Array): Hello | Malformed {
  const texts: string[] = []
  let at = 0
  for (const name of FIELDS) {
    const end = at + 1 + (head[at] ?? MAX_BYTES)
    const text = end <= head.length ? decodeText(head.subarray(at + 1, end)) : undefined
    if (text === undefined) return malformed(`hello: ${name} is not a text of its length`)
    texts.push(text)
    at = end
  }
  if (at !== head.length) return malformed(`hello: ${head.length - at} bytes too many`)
  const [cluster, from, to, incarnation] = texts as [string, string, string, string]
  return { cluster, from, to, incarnation }
}

/** UTF-8, or `undefined` when it is not. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Whether `text` can stand in a hello: up to 255 bytes, and the same when it is read again. */
export function isText(text: string): boolean {
  const bytes = new TextEncoder().encode(text)
  return bytes.length > 0 && bytes.length <= MAX_BYTES && decodeText(bytes) === text
}

/** The one number of an `open`, a `ping` and a `pong`. */
export function encodeNumber(value: number): Uint8Array {
  const head = new Uint8Array(8)
  writeU53(head, 0, value)
  return head
}

/** The number, or -1 when the bytes are none. */
export function decodeNumber(head: Uint8Array): number {
  return head.length === 8 ? readU53(head, 0) : -1
}
