import type { Index, NodeId } from './types.ts'

/** What became of the command that an error is about. */
export type Outcome =
  /** It did not and will not take effect. */
  | 'none'
  /** It may have taken effect, or may yet. */
  | 'unknown'

/** Every error that rxraft raises itself: told apart by `code`, which is stable. */
export abstract class RaftError extends Error {
  abstract readonly code: string
  /** Whether the same call can succeed later without anybody's help. */
  readonly retryable: boolean = false
  readonly outcome: Outcome = 'none'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** This server does not lead. `leader` is the one that does, as far as this server knows. */
export class NotLeader extends RaftError {
  readonly code = 'not-leader'
  override readonly retryable = true

  constructor(readonly leader: NodeId | undefined) {
    super(leader === undefined ? 'no leader is known' : `not the leader: ${leader} is`)
  }
}

/** More is waiting than a limit allows. */
export class Overloaded extends RaftError {
  readonly code = 'overloaded'
  override readonly retryable = true
}

/** Another leader's entry took the command's place in the log. It did not take effect. */
export class Superseded extends RaftError {
  readonly code = 'superseded'
  override readonly retryable = true

  constructor(readonly index: Index) {
    super(`another leader's entry took the command's place at index ${index}`)
  }
}

/** No answer came in time. */
export class Timeout extends RaftError {
  readonly code = 'timeout'
  override readonly retryable = true

  constructor(
    readonly after: number,
    override readonly outcome: Outcome,
  ) {
    super(
      outcome === 'unknown'
        ? `no outcome after ${after} ms: the command may still take effect`
        : `no answer after ${after} ms`,
    )
  }
}

/** The entries asked for are no longer in the log. */
export class Compacted extends RaftError {
  readonly code = 'compacted'

  constructor(
    readonly index: Index,
    readonly firstIndex: Index,
  ) {
    super(`index ${index} is compacted: the log begins at ${firstIndex}`)
  }
}

/** The node was stopped, or failed with `cause`. */
export class Stopped extends RaftError {
  readonly code = 'stopped'

  constructor(
    override readonly outcome: Outcome,
    options?: ErrorOptions,
  ) {
    super('the node is stopped', options)
  }
}

/** The encoded command is longer than `limit` bytes. */
export class CommandTooLarge extends RaftError {
  readonly code = 'command-too-large'

  constructor(
    readonly size: number,
    readonly limit: number,
  ) {
    super(`the command takes ${size} bytes encoded: at most ${limit} are allowed`)
  }
}

/** The application's `apply` threw: on every server alike, with its state unchanged. */
export class CommandFailed extends RaftError {
  readonly code = 'command-failed'

  constructor(
    readonly index: Index,
    cause: unknown,
  ) {
    super(`applying the command at index ${index} threw: ${String(cause)}`, { cause })
  }
}

/** An option that cannot be. */
export class ConfigError extends RaftError {
  readonly code = 'config'

  constructor(
    readonly option: string,
    readonly value: unknown,
    readonly expected: string,
  ) {
    super(`${option} is ${show(value)}: it should be ${expected}`)
  }
}

/** The protocol found itself in a state that cannot be. The node stops rather than continue wrong. */
export class InvariantError extends RaftError {
  readonly code = 'invariant'
}

/** The disk failed. The node stops; nothing is retried on the same file. */
export class StorageError extends RaftError {
  readonly code: string = 'storage'
  override readonly outcome: Outcome = 'unknown'
}

/** A file holds what was never written to it. `offset` is where, `remedy` what to do. */
export class CorruptLog extends StorageError {
  override readonly code = 'corrupt-log'

  constructor(
    readonly file: string,
    readonly offset: number,
    readonly reason: string,
    readonly remedy: string,
  ) {
    super(`${file} is corrupt at offset ${offset}: ${reason}. ${remedy}`)
  }
}

/** Another process has the directory open. */
export class DirectoryLocked extends StorageError {
  override readonly code = 'directory-locked'
  override readonly outcome = 'none'

  constructor(readonly directory: string) {
    super(`${directory} is in use by another process: one directory belongs to one node`)
  }
}

/** Files of a format that this version does not know. */
export class UnknownFormat extends StorageError {
  override readonly code = 'unknown-format'
  override readonly outcome = 'none'

  constructor(
    readonly file: string,
    readonly version: number,
  ) {
    super(`${file} has format version ${version}, which this version of rxraft does not know`)
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`
  try {
    return (typeof value === 'object' ? JSON.stringify(value) : undefined) ?? String(value)
  } catch {
    return 'an object'
  }
}
