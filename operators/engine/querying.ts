import { Observable, type BehaviorSubject } from 'rxjs'
import { NotLeader, Timeout } from '../../lib/errors.ts'
import { leaderOf, type State } from '../../lib/state.ts'
import type { Application } from './application.ts'
import type { Deadlines } from './deadlines.ts'
import type { RaftNode } from './node.ts'
import type { Questions } from './questions.ts'

/** A question as an Observable of its answer. */
export const querying =
  <Q, A>(
    machine: Application<Q, A>,
    questions: Questions,
    deadlines: Deadlines,
    state$: BehaviorSubject<State>,
    defaultTimeout: number,
  ): RaftNode<never, never, Q, A>['query'] =>
  (question, { consistency = 'linearizable', timeout = defaultTimeout } = {}) =>
    new Observable<A>((subscriber) => {
      const fail = (error: unknown): void => subscriber.error(error)
      const answer = (): void => {
        try {
          subscriber.next(machine.query(question))
          subscriber.complete()
        } catch (error) {
          fail(error)
        }
      }
      if (consistency === 'stale') return answer()
      const expire = (): void => {
        const isLed = leaderOf(state$.value) !== undefined
        fail(isLed ? new Timeout(timeout, 'none') : new NotLeader(undefined))
      }
      subscriber.add(deadlines.set(timeout, expire))
      subscriber.add(questions.ask({ answer, fail }))
    })
