import type { Index, Term } from '../lib/types.ts'

/** What `apply` may know besides its arguments: the same on every server. */
export interface ApplyContext {
  readonly index: Index
  readonly term: Term
  /**
   * One object for the commands that are applied right after each other, and for no others: nobody sees the state between
   * them. What `apply` has made for one of them it may change in place for those behind it, as long as a command that
   * throws changes nothing. Always there in a node.
   */
  readonly run?: object
}

/**
 * A replicated state machine: the reducer that RxJS people already write, with an answer. `apply` must
 * be deterministic and must not change `state` or `command` in place: no clock, no chance, no I/O.
 * If it throws, that is the command's result, and the state stays as it was, on every server alike.
 */
export interface Machine<S, C, R, Q = never, A = never> {
  readonly initial: S
  apply(state: S, command: C, context: ApplyContext): readonly [S, R]
  /** Answers a question without changing anything. */
  query?(state: S, question: Q): A
  /**
   * A few characters that two different states hardly ever share: a number, or 1 to 64 visible characters of ASCII.
   * Must cost next to nothing, such as a hash that is kept with the state. Servers compare theirs after every
   * `fingerprintEntries` entries, and one that differs from its leader stops with `Diverged`. Default: none.
   */
  fingerprint?(state: S): number | string
  /**
   * Gives a state in pieces, for a snapshot. They are asked for bit by bit while the node goes on, so they
   * must stay as they are: an immutable state does. A piece is anything that `structuredClone` can copy; some
   * thousands of bytes are a good size. Default: one piece, the whole state, which holds up the node
   * while it is written.
   */
  snapshot?(state: S): Iterable<unknown> | AsyncIterable<unknown>
  /** Adds a piece to a state that began as `initial`. Default: the piece is the state. */
  restore?(state: S, piece: unknown): S
}
