import { Observable, type ObservableInput, type Subscription } from 'rxjs'
import { NotLeader, Superseded } from '../lib/errors.ts'
import type { RaftNode, Settle } from './engine/node.ts'
import { inOrder, type InOrderOptions, type InputOperator } from './inOrder.ts'

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
  return (source: ObservableInput<C>) =>
    new Observable<R>((subscriber) => {
      let parked: (() => void)[] = []
      let leads: Subscription | undefined

      const waitForLeader = (retry: () => void): void => {
        parked.push(retry)
        leads ??= node.leader$.subscribe((leader) => {
          if (leader === undefined) return
          if (leader.id !== node.id) return subscriber.error(new NotLeader(leader.id))
          const retries = parked
          parked = []
          for (const again of retries) again()
        })
      }

      const results = inOrder<C, R>((command, done, fail) => {
        const settle: Settle<R> = {
          applied: done,
          failed: (error) => {
            if (error instanceof Superseded) submit()
            else if (error instanceof NotLeader && error.leader === undefined) waitForLeader(submit)
            else fail(error)
          },
        }
        const submit = (): void => node.submit(command, settle)
        submit()
      }, options)

      subscriber.add(() => leads?.unsubscribe())
      subscriber.add(results(source).subscribe(subscriber))
    })
}
