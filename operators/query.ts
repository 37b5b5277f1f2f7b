import type { QueryOptions, RaftNode } from './engine/node.ts'
import { inOrder, type InOrderOptions, type InputOperator } from './inOrder.ts'

/**
 * Asks the state machine every value and emits the answers, in the order of the questions. Questions of
 * one turn are confirmed by one round of pulses.
 *
 * ```
 * source                 -(ab)---c---|
 * query(node)            ---(AB)---C-|     after one round trip each
 * ```
 *
 * Completes when the source has completed and every answer is out. Errors with `NotLeader` or `Timeout`
 * when no leader confirmed a question in time, `Stopped`, and what the source or the machine throws.
 */
export function query<Q, A>(
  node: Pick<RaftNode<never, never, Q, A>, 'query'>,
  options: InOrderOptions & QueryOptions = {},
): InputOperator<Q, A> {
  return inOrder<Q, A>(
    (subscriber) => ({
      begin: (slot) => {
        const asking = node.query(slot.value, options).subscribe({
          next: (answer) => slot.applied(answer),
          error: (error: unknown) => slot.failed(error),
        })
        subscriber.add(asking)
      },
    }),
    options,
  )
}
