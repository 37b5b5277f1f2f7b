import { Observable } from 'rxjs'
import { NoState, NotLeader, Timeout } from '../../lib/errors.ts'
import { leaderOf } from '../../lib/state.ts'
import { lacksState } from '../../lib/witnesses.ts'
import type { Application } from './application.ts'
import type { Core } from './core.ts'
import type { RaftNode } from './node.ts'

/** A question as an Observable of its answer. */
export const querying =
  <Q, A>(
    machine: Application<Q, A>,
    core: Pick<Core<never, never>, 'questions' | 'deadlines' | 'state'>,
    defaultTimeout: number,
  ): RaftNode<never, never, Q, A>['query'] =>
  (question, { consistency = 'linearizable', timeout = defaultTimeout } = {}) =>
    new Observable<A>((subscriber) => {
      const fail = (error: unknown): void => subscriber.error(error)
      const answer = (): void => {
        if (lacksState(core.state)) return fail(new NoState(leaderOf(core.state)))
        try {
          subscriber.next(machine.query(question))
          subscriber.complete()
        } catch (error) {
          fail(error)
        }
      }
      if (consistency === 'stale' || lacksState(core.state)) return answer()
      const expire = (): void => {
        const isLed = leaderOf(core.state) !== undefined
        fail(isLed ? new Timeout(timeout, 'none') : new NotLeader(undefined))
      }
      subscriber.add(core.deadlines.set(timeout, expire))
      subscriber.add(core.questions.ask({ answer, fail }))
    })
