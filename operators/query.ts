import { Overloaded } from '../lib/errors.ts'
import type { QueryOptions, RaftNode } from './engine/node.ts'
import { inOrder, type InOrderOptions, type InputOperator, type Slot } from './inOrder.ts'
import { parking } from './parking.ts'

/**
 * Asks the state machine every value and emits the answers, in the order of the questions. Questions of
 * one turn are confirmed by one round of pulses. While too many wait at the node, they wait here.
 *
 * ```
 * source                 -(ab)---c---|
 * query(node)            ---(AB)---C-|     after one round trip each
 * ```
 *
 * Completes when the source has completed and every answer is out. Errors with `NotLeader` or `Timeout`
 * when no leader confirmed a question in time, `Overloaded` when more than `buffer` values wait, `NoState` at a
 * witness, `Stopped`, and what the source or the machine throws.
 */
export function query<Q, A>(
  node: Pick<RaftNode<never, never, Q, A>, 'query' | 'room$'>,
  options: InOrderOptions & QueryOptions = {},
): InputOperator<Q, A> {
  return inOrder<Q, A>((subscriber) => {
    const begin = (slot: Slot<Q, A>): void => {
      const asking = node.query(slot.value, options).subscribe({
        next: (answer) => slot.applied(answer),
        error: (error: unknown) => slot.failed(error),
      })
      subscriber.add(asking)
    }
    const waitForRoom = parking(node.room$, begin, subscriber)
    const recover = (slot: Slot<Q, A>, error: unknown): boolean => {
      if (!(error instanceof Overloaded)) return false
      waitForRoom(slot)
      return true
    }
    return { begin, recover }
  }, options)
}
