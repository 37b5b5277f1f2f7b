import type { Request, Response } from './observation.ts'
import { search } from './search.ts'

/**
 * One operation of a client. Times are of any clock or counter that never goes back; what returned at the
 * instant at which another was invoked was concurrent with it.
 */
export interface Operation {
  readonly client: number
  readonly request: Request
  readonly invoked: number
  /** `undefined`: never. */
  readonly returned: number | undefined
  readonly response: Response
}

export type Verdict =
  | { readonly type: 'linearizable' }
  | { readonly type: 'violation'; readonly key: string; readonly message: string }
  /** The search was given up: the history is too wide to be decided in some seconds. */
  | { readonly type: 'undecided'; readonly key: string; readonly message: string }

/**
 * Whether there is an order of the operations, each between its invocation and its return, in which the
 * store would have answered as it did. An `unknown` operation may take effect at any time after its
 * invocation, or never; a `failed` one never does. Keys are independent of each other, so each is decided
 * alone; the first violation is told, else the first key that is undecided.
 */
export function linearizable(history: readonly Operation[]): Verdict {
  const keys = new Map<string, Operation[]>()
  for (const operation of history) {
    const { key } = operation.request
    const known = keys.get(key)
    if (known === undefined) keys.set(key, [operation])
    else known.push(operation)
  }
  let verdict: Verdict = { type: 'linearizable' }
  for (const [key, operations] of keys) {
    const { type, message } = search(operations)
    if (type === 'violation') return { type, key, message }
    if (type === 'undecided' && verdict.type === 'linearizable') verdict = { type, key, message }
  }
  return verdict
}
