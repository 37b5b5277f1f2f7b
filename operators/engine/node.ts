import type { Observable, Subscription } from 'rxjs'
import type { Fingerprint } from '../../lib/fingerprint.ts'
import type { Session } from '../../lib/sessions.ts'
import type { Notice } from '../../lib/storage.ts'
import type { Step } from '../../lib/turn.ts'
import type { Index, Members, Millis, NodeId, Plan, Term } from '../../lib/types.ts'
import type { Codec } from '../codec.ts'

export type RoleName = 'follower' | 'precandidate' | 'candidate' | 'leader'

/** What this server is, and in which term. */
export interface RoleStatus {
  readonly role: RoleName
  readonly term: Term
}

/** Who leads in `term`, as far as this server knows. */
export interface Leader {
  readonly id: NodeId
  readonly term: Term
}

/** One entry of the application's log. */
export interface Commit<C> {
  readonly index: Index
  readonly term: Term
  readonly command: C
}

/** A commit with what `apply` made of it: its result, or what it threw. */
export type Applied<C, R> = Commit<C> &
  ({ readonly ok: true; readonly result: R } | { readonly ok: false; readonly error: unknown })

/**
 * How far a proposal has come. `queued`: in the leader's log at `index`. `replicated`: on the disks of
 * a quorum. `committed`: its entry stays in the log, and every server comes to it. `applied`: here is its result.
 * `abandoned`: it did not take effect and never will.
 *
 * A quorum's disks are what commits an entry of the leader's own term (§5.4.2), so `replicated` and `committed` come
 * together, as soon as this server knows, and before the machine here has come so far.
 */
export type Progress<R> =
  | {
      readonly type: 'queued' | 'replicated' | 'committed'
      readonly index: Index
      readonly term: Term
    }
  | { readonly type: 'applied'; readonly index: Index; readonly term: Term; readonly result: R }
  | { readonly type: 'abandoned'; readonly reason: Error }

/**
 * How far a change of members has come. `catchingUp`: the slowest new voter lacks so many entries. `joint`: the
 * voters before and those after both have to agree. `done`: the new configuration is committed, set by the
 * entry at `index`.
 */
export type ChangeProgress =
  | { readonly type: 'catchingUp'; readonly left: number }
  | { readonly type: 'joint' }
  | { readonly type: 'done'; readonly index: Index }

/** A node at one glance. */
export interface Status {
  readonly id: NodeId
  readonly role: RoleName
  readonly term: Term
  readonly leader: NodeId | undefined
  readonly commitIndex: Index
  readonly appliedIndex: Index
  readonly lastIndex: Index
  /** The last index that a snapshot covers; 0 when there is none. */
  readonly snapshotIndex: Index
  /** The latest fingerprint of the machine's state here; `undefined` when none was taken yet. */
  readonly fingerprint: Fingerprint | undefined
  readonly members: Members
}

/** One turn of the loop, or something that an adapter noticed. */
export type Trace = { readonly type: 'step'; readonly step: Step } | Notice

/** Hears of one submitted command: exactly one of the two is called, once. */
export interface Settle<R> {
  applied(result: R, index: Index, term: Term): void
  failed(error: Error): void
  /** The command is in the leader's log. */
  queued?(index: Index, term: Term): void
  /** The command is on the disks of a quorum, and so committed. Comes before `applied`, and before the machine does. */
  committed?(index: Index, term: Term): void
}

export interface ProposeOptions {
  /**
   * Milliseconds after which a proposal errors with `Timeout`; its outcome is then `unknown`, unless
   * it never entered a log. Default: the node's `proposeTimeout`.
   */
  readonly timeout?: number
  /**
   * The name under which the command is applied once, whichever server it is proposed to. Default: the
   * Observable has one of its own.
   */
  readonly request?: RequestName
}

/** A command's name: the same for every attempt to propose it, and for nothing else. Plain data. */
export interface RequestName {
  /** From `node.session()`, of any server. */
  readonly session: Session
  /** The command's number in its session, from 0 on. */
  readonly sequence: number
  /**
   * Commands of the session below this number will not be proposed again: what came of them is
   * forgotten. From 0 to `sequence`. Default `sequence`: one command at a time.
   */
  readonly lowest?: number
}

export interface SubmitOptions {
  /** The name under which the command is applied once, whichever server it is submitted to. Default: none. */
  readonly request?: RequestName
  /** The command as the node's codec encodes it, from whoever has it already. Default: it is encoded. */
  readonly encoded?: Uint8Array
}

/**
 * What an answer may miss.
 * - `linearizable`: nothing that was acknowledged before the question, on any server.
 * - `{ within: ms }`: nothing that was acknowledged so many milliseconds before the question, or earlier; 0 or
 *   more. Answered at once where this server has confirmed lately enough that it had everything, otherwise as
 *   `linearizable`.
 * - `{ atLeast: index }`: nothing up to this index, such as that of a write. Answered as soon as this server has
 *   applied it, without asking anybody.
 * - `stale`: anything. Answered at once from what this server has applied.
 */
export type Consistency =
  'linearizable' | { readonly within: Millis } | { readonly atLeast: Index } | 'stale'

export interface QueryOptions {
  /** What the answer may miss. Default `linearizable`. */
  readonly consistency?: Consistency
  /** Milliseconds after which it errors with `Timeout`. Default: the node's `queryTimeout`. */
  readonly timeout?: number
}

/**
 * A server of the cluster. All streams are hot and shared, complete when the node stops and error only
 * when it fails.
 */
export interface RaftNode<C, R, Q = never, A = never> {
  readonly id: NodeId
  /** The leader, replayed; `undefined` while none is known. */
  readonly leader$: Observable<Leader | undefined>
  /** This server's role, replayed. */
  readonly role$: Observable<RoleStatus>
  /**
   * Every applied command once, in order, from the moment of subscription. A server that was far behind and
   * takes over a snapshot jumps over what it stands for: see `restored$`.
   */
  readonly commits$: Observable<Applied<C, R>>
  /**
   * The machine took over another server's snapshot, which stands for everything through this index;
   * `commits$` goes on behind it.
   */
  readonly restored$: Observable<Index>
  /** The configuration, replayed. */
  readonly members$: Observable<Members>
  /** The node at a glance after every step, replayed. */
  readonly status$: Observable<Status>
  /** Every turn of the loop and every notice of an adapter, from the moment of subscription. */
  readonly trace$: Observable<Trace>

  /**
   * From the moment of subscription: emits when proposals or queries that were refused with `Overloaded` may be tried
   * again. The operators `propose` and `query` wait for it by themselves.
   */
  readonly room$: Observable<void>

  /**
   * Cold: proposes the command and reports how far it has come, until it is applied or abandoned. Every
   * subscription to the same Observable is an attempt at the same command, which is applied once: `retry()` is
   * safe, also after a `Timeout`, and waits a heartbeat after a refusal. Who comes late hears what came of
   * the first, with its index; a result is to be left as it is. Errors with `NotLeader`, `Overloaded`,
   * `CommandTooLarge`, `CommandFailed`, `Timeout`, `Overtaken`, `SessionExpired`, `Stopped`, and with `Superseded`
   * where another attempt may yet succeed; an error's `outcome` is that of its attempt. Unsubscribing does
   * not take back what is in the log.
   */
  propose(command: C, options?: ProposeOptions): Observable<Progress<R>>
  /**
   * Cold: each subscription opens a client session and emits its name, under which commands can be numbered
   * that are to be applied once, whichever servers they are proposed to: see `ProposeOptions.request`. `propose`
   * needs none. Errors with `NotLeader`, `Overloaded`, `Superseded`, `Timeout`, `Overtaken`, `Stopped`.
   */
  session(): Observable<Session>
  /**
   * Cold: asks the state machine, once per subscription. Waits out elections and errors with `NotLeader`
   * or `Timeout` when the answer could not be confirmed in time, `Overloaded` when too many wait already, `NoState` at a
   * witness, `Stopped`. Throws `ConfigError` for a consistency that cannot be.
   */
  query(question: Q, options?: QueryOptions): Observable<A>

  /**
   * The callback form of `propose`, without a timeout and without an Observable per command, for those
   * who propose by the hundred thousand. Whatever is submitted in one turn of the event loop becomes
   * one batch, or one for those with a name and one for those without. Once `maxUncommittedBytes` wait, here or at the
   * leader, it fails with `Overloaded` at once, until `room$` emits. Throws `ConfigError` for a name that cannot be.
   */
  submit(command: C, settle: Settle<R>, options?: SubmitOptions): void
  /** How commands are encoded. */
  readonly codec: Codec<C>
  /**
   * Commands that this server has applied, from `from` on, at most `limit` (default 1,000). Throws
   * `Compacted` when the log no longer reaches back to `from`, `NoState` at a witness.
   */
  history(from: Index, limit?: number): readonly Commit<C>[]

  /**
   * Cold: each subscription takes a snapshot of what is applied by now, and emits the index through which
   * it stands for the log, once it is durable. One that is there already is not taken again. Errors with `Stopped`.
   */
  snapshot(): Observable<Index>

  /**
   * Cold: each subscription asks the leader for other members once and reports how far the change has come,
   * until it is done. Errors with `ConfigError`, `ChangeRefused`, `Stopped`. Unsubscribing does not take it back.
   */
  change(plan: Plan): Observable<ChangeProgress>

  /**
   * Cold: each subscription asks the leader to hand its leadership over, to this voter or to whoever has most of
   * the log, and emits the successor when it has stepped down. Proposals are refused with `NotLeader`
   * meanwhile, for the longest election timeout at most. Errors with `TransferFailed`, `Stopped`.
   */
  transfer(to?: NodeId): Observable<NodeId>

  /** Starts the node. Unsubscribing stops it, and everything that it started. */
  connect(): Subscription
}
