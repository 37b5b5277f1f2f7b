import { Observable } from 'rxjs'
import { Superseded, Timeout } from '../../lib/errors.ts'
import type { Deadlines } from './deadlines.ts'
import type { Progress, RaftNode, Settle } from './node.ts'
import type { Proposals } from './proposals.ts'

/** A proposal as an Observable of how far it has come. */
export const proposing =
  <C, R>(
    proposals: Proposals<C, R>,
    deadlines: Deadlines,
    defaultTimeout: number,
  ): RaftNode<C, R>['propose'] =>
  (command, { timeout = defaultTimeout } = {}) =>
    new Observable<Progress<R>>((subscriber) => {
      const settle: Settle<R> = {
        queued: (index, term) => subscriber.next({ type: 'queued', index, term }),
        committed: (index, term) => {
          subscriber.next({ type: 'replicated', index, term })
          subscriber.next({ type: 'committed', index, term })
        },
        applied: (result, index, term) => {
          subscriber.next({ type: 'applied', index, term, result })
          subscriber.complete()
        },
        failed: (error) => {
          if (!(error instanceof Superseded)) return subscriber.error(error)
          subscriber.next({ type: 'abandoned', reason: error })
          subscriber.complete()
        },
      }
      subscriber.add(
        // What was submitted is not taken back: where turns are slow, it enters the log after its deadline.
        deadlines.set(timeout, () => subscriber.error(new Timeout(timeout, 'unknown'))),
      )
      proposals.submit(command, settle)
    })
