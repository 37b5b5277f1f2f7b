import {
  CommandFailed,
  CommandTooLarge,
  Compacted,
  NoSpace,
  NotLeader,
  Overloaded,
  RaftError,
} from '../../lib/errors.ts'
import { SessionExpired } from '../../lib/sessions.ts'
import type { Codec } from '../../operators/codec.ts'
import { Failed, Rejected } from './errors.ts'

/** An error on the wire: its code, what it says, what became of the command, and what else it knows. */
type Told = readonly [
  code: string,
  message: string,
  isUnknown: boolean,
  isRetryable: boolean,
  ...details: readonly unknown[],
]

export function tell(error: unknown, codec: Codec<unknown>): Uint8Array {
  return codec.encode(told(error))
}

function told(error: unknown): Told {
  if (!(error instanceof RaftError)) return ['error', messageOf(error), false, false]
  const { code, message, outcome, retryable } = error
  return [code, message, outcome === 'unknown', retryable, ...detailsOf(error)]
}

function detailsOf(error: RaftError): readonly unknown[] {
  if (error instanceof NotLeader) return [error.leader ?? null]
  if (error instanceof CommandFailed) return [error.index, messageOf(error.cause)]
  if (error instanceof CommandTooLarge) return [error.size, error.limit]
  if (error instanceof Compacted) return [error.index, error.firstIndex]
  if (error instanceof SessionExpired) return [error.session]
  if (error instanceof Rejected) return [error.reason]
  return []
}

const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)

/** The error that was told, or `undefined` when the bytes are none. */
export function heard(bytes: Uint8Array, codec: Codec<unknown>): RaftError | undefined {
  let found: unknown
  try {
    found = codec.decode(bytes)
  } catch {
    return undefined
  }
  if (!Array.isArray(found) || typeof found[0] !== 'string') return undefined
  const [code, message, isUnknown, isRetryable, ...details] = found as unknown as Told
  return (
    known(code, String(message), details) ??
    new Failed(code, String(message), isUnknown === true ? 'unknown' : 'none', isRetryable === true)
  )
}

function known(code: string, message: string, details: readonly unknown[]): RaftError | undefined {
  const [first, second] = details
  switch (code) {
    case 'not-leader':
      return new NotLeader(typeof first === 'string' ? first : undefined)
    case 'overloaded':
      return new Overloaded(message)
    case 'no-space':
      return new NoSpace()
    case 'command-failed':
      return new CommandFailed(Number(first), new Error(String(second)))
    case 'command-too-large':
      return new CommandTooLarge(Number(first), Number(second))
    case 'compacted':
      return new Compacted(Number(first), Number(second))
    case 'session-expired':
      return new SessionExpired(Number(first), 'unknown')
    case 'rejected':
      return new Rejected(String(first))
    default:
      return undefined
  }
}
