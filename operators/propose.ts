import { Subscription } from 'rxjs'
import { NotLeader, Stopped, Superseded } from '../lib/errors.ts'
import type { Leader, RaftNode } from './engine/node.ts'
import { inOrder, type InOrderOptions, type InputOperator, type Slot } from './inOrder.ts'

/**
 * Proposes every value and emits the results, in the order of the values.
 *
 * While no leader is known, commands wait; a command whose place another leader's entry took is proposed
 * again. At most `concurrency` (default 1024) are in flight: iterables, also asynchronous ones, are read
 * no faster than that; of an Observable, up to `buffer` (default 65,536) values wait.
 *
 * ```
 * source                 -a-b----c---|
 * leader of node         l-----------
 * propose(node)          ---A-B----C-|     after a commit each
 * ```
 *
 * Completes when the source has completed and every result is out. Errors with `NotLeader` when another
 * server leads, `CommandFailed`, `CommandTooLarge`, `Overloaded`, `Stopped`, and what the source errors
 * with. Unsubscribing does not take back what is in the log.
 */
export function propose<C, R>(
  node: Pick<RaftNode<C, R>, 'id' | 'leader$' | 'submit'>,
  options?: InOrderOptions,
): InputOperator<C, R> {
  return inOrder<C, R>((subscriber) => {
    let waiting: Slot<C, R>[] = []
    let watching: Subscription | undefined

    const begin = (slot: Slot<C, R>): void => node.submit(slot.value, slot)
    const beginAll = (leader: Leader | undefined): void => {
      if (leader === undefined) return
      const ready = waiting
      waiting = []
      ready.forEach(begin)
    }
    const watch = (): Subscription => {
      const stopped = (cause?: unknown): void =>
        subscriber.error(new Stopped('none', cause === undefined ? undefined : { cause }))
      const subscription = new Subscription()
      subscriber.add(subscription)
      subscription.add(
        node.leader$.subscribe({ next: beginAll, error: stopped, complete: () => stopped() }),
      )
      return subscription
    }
    const waitForLeader = (slot: Slot<C, R>): void => {
      waiting.push(slot)
      watching ??= watch()
    }
    const recover = (slot: Slot<C, R>, error: unknown): boolean => {
      if (subscriber.closed) return true
      if (error instanceof Superseded) begin(slot)
      else if (error instanceof NotLeader && error.leader === undefined) waitForLeader(slot)
      else return false
      return true
    }
    return { begin, recover }
  }, options)
}
