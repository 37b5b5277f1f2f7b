import { readLength, writeLength } from './batch.ts'
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
  /** Results that are kept in the session. That of the lowest number goes. */
  readonly results: number
  /** A session ends when so many entries came after its last use. */
  readonly entries: number
}

/** Bytes before the command: four integers of 8 bytes, little endian. Index 0 opens a session. */
export const HEADER_BYTES = 32

/** Writes what stands before a command. */
export function writeRequest(bytes: Uint8Array, at: number, request: Request): void {
  const { session, sequence, lowest } = request
  writeHeader(bytes, at, session.index, session.term, sequence, lowest)
}

/** Writes what opens a session. */
export function writeOpening(bytes: Uint8Array, at: number, limits: SessionLimits): void {
  writeHeader(bytes, at, 0, limits.sessions, limits.results, limits.entries)
}

function writeHeader(
  bytes: Uint8Array,
  at: number,
  first: number,
  second: number,
  third: number,
  fourth: number,
): void {
  writeInteger(bytes, at, first)
  writeInteger(bytes, at + 8, second)
  writeInteger(bytes, at + 16, third)
  writeInteger(bytes, at + 24, fourth)
}

const HALF = 2 ** 32

/** By hand, and in halves: a view and an integer of 8 bytes would be objects, for each command. */
function writeInteger(bytes: Uint8Array, at: number, value: number): void {
  writeLength(bytes, at, value >>> 0)
  writeLength(bytes, at + 4, Math.floor(value / HALF))
}

function readInteger(bytes: Uint8Array, at: number): number {
  const high = readLength(bytes, at + 4)
  const low = readLength(bytes, at)
  // To the engine of JavaScript a sum with a large number is an object of its own, also where it is small.
  return high === 0 ? low : low + high * HALF
}

/**
 * What an entry of a `request` batch is: a command with its name, a new session, or nothing that anybody has written so. Reads
 * one after the other, and has one object for all of their names: it must not be kept.
 */
export class RequestReader {
  readonly #session = { index: 0, term: 0 }
  readonly #request = { session: this.#session, sequence: 0, lowest: 0 }

  /** Reads the payload from `start` to `end`, of which the command begins after {@link HEADER_BYTES}. */
  read(bytes: Uint8Array, start: number, end: number): Request | SessionLimits | undefined {
    if (end < start + HEADER_BYTES) return undefined
    const index = readInteger(bytes, start)
    const second = readInteger(bytes, start + 8)
    const third = readInteger(bytes, start + 16)
    const fourth = readInteger(bytes, start + 24)
    if (index === 0) return { sessions: second, results: third, entries: fourth }
    this.#session.index = index
    this.#session.term = second
    this.#request.sequence = third
    this.#request.lowest = fourth
    return this.#request
  }
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
