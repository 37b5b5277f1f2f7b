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

/** The leader's disk is full. Reads go on, and so do writes when there is room again, or another leader. */
export class NoSpace extends RaftError {
  readonly code = 'no-space'
  override readonly retryable = true

  constructor() {
    super('the disk of this server is full: free some of it, or write elsewhere')
  }
}

/** Another leader's entry took the command's place in the log. It did not take effect. */
export class Superseded extends RaftError {
  readonly code = 'superseded'
  override readonly retryable = true

  constructor(readonly index: Index) {
    super(`another leader's entry took the command's place at index ${index}`)
  }
}

/** A snapshot of another server took the place of the entries among which the command was. */
export class Overtaken extends RaftError {
  readonly code = 'overtaken'
  override readonly retryable = true
  override readonly outcome = 'unknown'

  constructor(readonly index: Index) {
    super(
      `a snapshot stands for index ${index}: the command there may have taken effect, or another`,
    )
  }
}

/**
 * Why a change of members was refused, or given up.
 * - `notLeader`: it was asked of a server that does not lead.
 * - `busy`: another change is under way.
 * - `early`: this leader has committed nothing yet; try again.
 * - `conflict`: the configuration is not the expected one.
 * - `quorum`: too few of the new voters are heard.
 * - `empty`: nobody would vote.
 * - `witness`: a server would become a witness, or a witness a full server. Remove it, and add another one.
 * - `full`: a majority of the voters could be witnesses, of which none keeps what is committed.
 * - `slow`: a new server does not catch up; it stays as a learner.
 * - `deposed`: the leader has stepped down. Its successor completes what is joint already, and nothing else.
 */
export type Unchanged =
  | 'notLeader'
  | 'busy'
  | 'early'
  | 'conflict'
  | 'quorum'
  | 'empty'
  | 'witness'
  | 'full'
  | 'slow'
  | 'deposed'

/** The members did not change. */
export class ChangeRefused extends RaftError {
  readonly code = 'change-refused'
  override readonly retryable: boolean
  override readonly outcome: Outcome

  constructor(
    readonly reason: Unchanged,
    /** Who leads, as far as this server knows. */
    readonly leader: NodeId | undefined,
  ) {
    super(`the members did not change: ${REASONS[reason]}`)
    this.retryable = !['conflict', 'empty', 'witness', 'full'].includes(reason)
    this.outcome = reason === 'deposed' ? 'unknown' : 'none'
  }
}

const REASONS: Readonly<Record<Unchanged, string>> = {
  notLeader: 'this server does not lead',
  busy: 'another change is under way',
  early: 'this leader has committed nothing yet',
  conflict: 'the configuration is not the expected one',
  quorum: 'too few of the new voters are heard',
  empty: 'nobody would vote',
  witness:
    'a server stays a witness, or a full one, until it is removed: add another one under a new id',
  full: 'every majority of the voters needs a server that is no witness',
  slow: 'a new server does not catch up, and stays as a learner',
  deposed: 'the leader has stepped down, and its successor may yet complete it',
}

/**
 * Why a leader still leads.
 * - `notLeader`: it was asked of a server that does not lead.
 * - `busy`: the leadership is being handed over already, or the members change.
 * - `nobody`: no other voter is heard, or the one that was named is none, or a witness.
 * - `late`: the successor did not catch up and win in time; everything goes on as before.
 */
export type Kept = 'notLeader' | 'busy' | 'nobody' | 'late'

/** The leadership was not handed over. */
export class TransferFailed extends RaftError {
  readonly code = 'transfer-failed'
  override readonly retryable = true

  constructor(
    readonly reason: Kept,
    /** Who leads, as far as this server knows. */
    readonly leader: NodeId | undefined,
  ) {
    super(`the leadership was not handed over: ${KEPT[reason]}`)
  }
}

const KEPT: Readonly<Record<Kept, string>> = {
  notLeader: 'this server does not lead',
  busy: 'it is being handed over already, or the members change',
  nobody: 'there is no such voter that is heard',
  late: 'the successor did not win in time',
}

/** This server is a witness: it has no state to answer from. `leader` has, as far as this server knows. */
export class NoState extends RaftError {
  readonly code = 'no-state'

  constructor(readonly leader: NodeId | undefined) {
    super(`this server is a witness and keeps no state: ask ${leader ?? 'another one'}`)
  }
}

/** A server has a witness's log, and is no witness in the configuration. It stops. */
export class FormerWitness extends RaftError {
  readonly code = 'former-witness'

  constructor(readonly id: NodeId) {
    super(
      `${id} is no witness in the configuration, and its log is that of one, without commands: ` +
        `remove ${id} from the members, and add a server with another id and an empty disk`,
    )
  }
}

/** The leader that the command was passed on to has not said what became of it, and leads no more. */
export class Unanswered extends RaftError {
  readonly code = 'unanswered'
  override readonly retryable = true
  override readonly outcome = 'unknown'

  constructor() {
    super('the leader did not answer before it was one no more: the command may take effect')
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

/**
 * This server's state machine has come to another state than its leader's, by the same commands. It stops; its disk
 * stays as it is.
 */
export class Diverged extends RaftError {
  readonly code = 'diverged'
  override readonly outcome = 'unknown'

  constructor(
    /** The entry after which the two were compared. The cause is at it or before it. */
    readonly index: Index,
    /** The fingerprint here. */
    readonly own: string,
    /** The fingerprint at the leader. */
    readonly expected: string,
    readonly leader: NodeId | undefined,
  ) {
    super(
      `after the entry at index ${index} the state here has the fingerprint ${own}, and that of the leader ` +
        `${leader ?? ''} ${expected}: apply is not deterministic, or memory has failed. The disk is kept: ` +
        'remove this server from the members, and let it join under a new id with an empty disk',
    )
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

/**
 * The disk does not have what this server has acknowledged: it was emptied, brought back from an old copy, or has
 * lost writes that it had called durable. What the server promised besides, nobody knows: it takes no part any
 * more, and must not come back under its id.
 */
export class DiskLost extends StorageError {
  override readonly code = 'disk-lost'

  constructor(
    readonly id: NodeId,
    /** An entry that the server had acknowledged, and the last one that its disk has. */
    readonly index: Index,
    readonly lastIndex: Index,
  ) {
    super(
      `the disk of ${id} has not what ${id} acknowledged: entry ${index}, and its log ends at ${lastIndex}. ` +
        `It was emptied, or is an old copy, or has lost writes. Remove ${id} from the members, and add a server ` +
        'under another id, on an empty directory',
    )
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

/** The directory belongs to a server of another cluster: logs of two clusters must not mix. */
export class WrongCluster extends StorageError {
  override readonly code = 'wrong-cluster'
  override readonly outcome = 'none'

  constructor(
    readonly directory: string,
    /** Which cluster it belongs to. */
    readonly cluster: string,
    /** Which one it was opened for. */
    readonly expected: string,
  ) {
    super(
      `${directory} belongs to cluster "${cluster}" and was opened for cluster "${expected}": ` +
        'a server of another cluster begins on an empty directory',
    )
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
