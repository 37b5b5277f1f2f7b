import type { Index, Term } from '../lib/types.ts'

/** What `apply` may know besides its arguments: the same on every server. */
export interface ApplyContext {
  readonly index: Index
  readonly term: Term
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
}
