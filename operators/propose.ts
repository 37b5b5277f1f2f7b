import { filter } from 'rxjs'
import { NotLeader, Overloaded, Superseded } from '../lib/errors.ts'
import type { RaftNode } from './engine/node.ts'
import { inOrder, type InOrderOptions, type InputOperator, type Slot } from './inOrder.ts'
import { parking } from './parking.ts'

/**
 * Proposes every value and emits the results, in the order of the values.
 *
 * While no leader is known, and while the node is overloaded, commands wait; a command whose place another
 * leader's entry took is proposed again. At most `concurrency` (default 1024) are in flight: iterables, also
 * asynchronous ones, are read no faster than that; of an Observable, up to `buffer` (default 65,536) values wait.
 *
 * ```
 * source                 -a-b----c---|
 * leader of node         l-----------
 * propose(node)          ---A-B----C-|     after a commit each
 * ```
 *
 * Completes when the source has completed and every result is out. Errors with `NotLeader` when another
 * server leads and the node does not forward, `CommandFailed`, `CommandTooLarge`, `Overloaded` when more than
 * `buffer` values wait, `NoSpace`, `Unanswered`, `Overtaken`, `Stopped`, and what the source errors with.
 * Unsubscribing does not take back what is in the log.
 */
export function propose<C, R>(
  node: Pick<RaftNode<C, R>, 'leader$' | 'room$' | 'submit'>,
  options?: InOrderOptions,
): InputOperator<C, R> {
  const leader$ = node.leader$.pipe(filter((leader) => leader !== undefined))
  return inOrder<C, R>((subscriber) => {
    const begin = (slot: Slot<C, R>): void => node.submit(slot.value, slot)
    const waitForLeader = parking(leader$, begin, subscriber)
    const waitForRoom = parking(node.room$, begin, subscriber)
    const recover = (slot: Slot<C, R>, error: unknown): boolean => {
      if (subscriber.closed) return true
      if (error instanceof Superseded) begin(slot)
      else if (error instanceof Overloaded) waitForRoom(slot)
      else if (error instanceof NotLeader && error.leader === undefined) waitForLeader(slot)
      else return false
      return true
    }
    return { begin, recover }
  }, options)
}
