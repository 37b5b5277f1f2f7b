import type { Step } from '../../lib/turn.ts'
import type { Index, Mark, Millis, NodeId, Term } from '../../lib/types.ts'

/**
 * What a bystander sees of a cluster: what its servers decide, what their disks hold, what its clients
 * asked and were told. `at` is in virtual milliseconds and never goes back.
 */
export type Observation =
  /** A server begins a life, the first of which has number 1. */
  | { readonly type: 'started'; readonly at: Millis; readonly id: NodeId; readonly life: number }
  /** A crash, or a failure with its error. */
  | {
      readonly type: 'stopped'
      readonly at: Millis
      readonly id: NodeId
      readonly life: number
      readonly error?: unknown
    }
  /** One turn of a server's loop. */
  | {
      readonly type: 'step'
      readonly at: Millis
      readonly id: NodeId
      readonly life: number
      readonly step: Step
    }
  | Durable
  /** A server's state machine holds this when everything through `index` is applied: a snapshot brought it, or is coming. */
  | {
      readonly type: 'state'
      readonly at: Millis
      readonly id: NodeId
      readonly life: number
      readonly index: Index
      readonly contents: ReadonlyMap<string, string>
    }
  /** The disk lost everything, or writes that it had acknowledged, by a fault. */
  | { readonly type: 'wiped'; readonly at: Millis; readonly id: NodeId }
  | {
      readonly type: 'invoked'
      readonly at: Millis
      readonly client: number
      readonly operation: number
      readonly request: Request
    }
  | {
      readonly type: 'returned'
      readonly at: Millis
      readonly client: number
      readonly operation: number
      readonly response: Response
    }
  /** All faults are over. */
  | { readonly type: 'healed'; readonly at: Millis }
  | { readonly type: 'ended'; readonly at: Millis }

/** What a disk would give back if it were opened now, after each write that became durable or was lost. */
export interface Durable {
  readonly type: 'durable'
  readonly at: Millis
  readonly id: NodeId
  readonly term: Term
  readonly vote: NodeId | undefined
  readonly lastIndex: Index
  /** The newest whole snapshot, which stands for all entries before it. */
  readonly snapshot: Snapshot | undefined
  /** The term of the entry at `index`: `undefined` where there is none. */
  termAt(index: Index): Term | undefined
}

export interface Snapshot {
  readonly mark: Mark
  readonly bytes: Uint8Array
}

/** What a get may miss: by default nothing. */
export interface Bound {
  /** It sees everything that was acknowledged so many ms before it, by the clock of the server that answers. */
  readonly within?: Millis
  /** It sees everything up to this index. */
  readonly atLeast?: Index
}

/**
 * What a client asks of the store. A key holds a string, or nothing at first. `cas` sets `value` when the
 * key holds `expected`. `append` puts `value` behind what the key holds.
 */
export type Request =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | ({ readonly type: 'get'; readonly key: string } & Bound)
  | {
      readonly type: 'cas'
      readonly key: string
      readonly expected: string | undefined
      readonly value: string
    }
  | { readonly type: 'append'; readonly key: string; readonly value: string }

export type Response =
  /** `value` is what a get read; `swapped` whether a cas found what it expected. */
  | {
      readonly type: 'ok'
      readonly value?: string | undefined
      readonly swapped?: boolean
      /** For a get with a bound: it sees everything that was acknowledged before this moment. */
      readonly asOf?: Millis
    }
  /** It certainly had no effect and will have none. */
  | { readonly type: 'failed' }
  /** It may have had an effect, or may yet. */
  | { readonly type: 'unknown' }

/** A bystander that knows one rule and says so when the rule is broken. */
export interface Checker {
  readonly name: string
  observe(observation: Observation): void
}

/** Makes a checker that calls `violate` with one sentence for each breach that it sees. */
export type MakeChecker = (violate: (message: string) => void) => Checker
