import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Command, Write } from './machine.ts'
import { refuse } from './replies.ts'

/** Longest idempotency key, in bytes. */
export const MAX_IDEMPOTENCY_KEY_BYTES = 255

/** What `Idempotency-Key` says, as it was sent: visible characters of ASCII, and spaces between them. */
export function idempotencyKeyOf({ headers }: IncomingMessage): string | undefined {
  const key = headers['idempotency-key']?.toString()
  if (key === undefined) return undefined
  if (/^[ -~]+$/.test(key) && key.length <= MAX_IDEMPOTENCY_KEY_BYTES) return key
  throw refuse(
    400,
    'bad-idempotency-key',
    `Idempotency-Key has ${key.length} characters: it should have 1 to ${MAX_IDEMPOTENCY_KEY_BYTES}, of ASCII`,
  )
}

/** The write as a command that is carried out once under its idempotency key, if there is one. */
export const once = (write: Write, key: string | undefined): Command =>
  key === undefined ? write : ['once', key, digestOf(write), write]

/** Characters of a digest: 132 bits. */
const DIGEST_LENGTH = 22

/** Differs for writes that ask for different things. */
function digestOf(write: Write): string {
  const [type, key] = write
  // When it came does not belong to what was asked for.
  const asked = type === 'put' ? [type, key, write[3], write[4]?.ttl] : [type, key, write[2]]
  const hash = createHash('sha256').update(`${JSON.stringify(asked)}\n`)
  if (type === 'put') hash.update(write[2])
  return hash.digest('base64url').slice(0, DIGEST_LENGTH)
}
