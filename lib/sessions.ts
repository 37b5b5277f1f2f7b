import { type Outcome, RaftError } from './errors.ts'
import type { Index, Position } from './types.ts'

/**
 * Client sessions (§8, thesis §6.3): what a server is told twice is applied once. A session is the log
 * entry that opened it, so that an unknown one is an old one and never a new one; its term is part of its
 * name, because another entry may take the place of one that is not committed yet.
 */
export type Session = Position

/** Names a command for good, wherever and however often it is proposed. */
export interface Request {
  readonly session: Session
  /** The command's number in its session, from 0 on. */
  readonly sequence: number
  /** What came of the session's commands before this one, nobody will ask any more. */
  readonly lowest: number
}

/** What a session is opened with. In the log, so that it is the same on every server. */
export interface SessionLimits {
  /** Sessions of the whole cluster. The one that was used least recently goes. */
  readonly sessions: number
  /** Results that are kept in the session. The oldest goes. */
  readonly results: number
  /** A session ends when so many entries came after its last use. */
  readonly entries: number
}

/** An entry of a `request` batch: a command with its name, or a new session. */
export type Requested =
  | { readonly type: 'request'; readonly request: Request; readonly command: Uint8Array }
  | { readonly type: 'open'; readonly limits: SessionLimits }

/** Bytes before the command: four integers of 8 bytes, little endian. Index 0 opens a session. */
export const HEADER_BYTES = 32

/** Writes what stands before a command. */
export function writeRequest(bytes: Uint8Array, at: number, request: Request): void {
  const { session, sequence, lowest } = request
  writeHeader(bytes, at, [session.index, session.term, sequence, lowest])
}

/** Writes what opens a session. */
export function writeOpening(bytes: Uint8Array, at: number, limits: SessionLimits): void {
  writeHeader(bytes, at, [0, limits.sessions, limits.results, limits.entries])
}

function writeHeader(bytes: Uint8Array, at: number, numbers: readonly number[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES)
  for (let i = 0; i < numbers.length; i++) {
    view.setUint32(8 * i, numbers[i]! >>> 0, true)
    view.setUint32(8 * i + 4, Math.floor(numbers[i]! / HALF), true)
  }
}

const HALF = 2 ** 32

/** By hand, and in halves: a view and an integer of 8 bytes would be objects, for each command. */
function readInteger(bytes: Uint8Array, at: number): number {
  return readHalf(bytes, at) + readHalf(bytes, at + 4) * HALF
}

const readHalf = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0

/** Reads a payload; `undefined` for one that nobody has written so. */
export function readRequested(payload: Uint8Array): Requested | undefined {
  if (payload.length < HEADER_BYTES) return undefined
  const number = (i: number): number => readInteger(payload, 8 * i)
  const index = number(0)
  if (index === 0) {
    const limits = { sessions: number(1), results: number(2), entries: number(3) }
    return { type: 'open', limits }
  }
  const session = { index, term: number(1) }
  const request = { session, sequence: number(2), lowest: number(3) }
  return { type: 'request', request, command: payload.subarray(HEADER_BYTES) }
}

/**
 * The session is forgotten, or what came of its early commands is. With outcome `unknown`, an earlier
 * attempt may have taken effect, and nobody can tell any more: the same proposal fails from now on. With
 * `none` it did not take effect.
 */
export class SessionExpired extends RaftError {
  readonly code = 'session-expired'
  override readonly retryable: boolean

  constructor(
    readonly session: Index,
    override readonly outcome: Outcome,
  ) {
    super(
      `session ${session} has expired: ` +
        (outcome === 'none'
          ? 'the command did not take effect'
          : 'its outcome is unknown for good'),
    )
    this.retryable = outcome === 'none'
  }
}
