import { Observable } from 'rxjs'
import { ConfigError, NoState, NotLeader, Timeout } from '../../lib/errors.ts'
import { leaderOf } from '../../lib/state.ts'
import { lacksState } from '../../lib/witnesses.ts'
import type { Application } from './application.ts'
import type { Core } from './core.ts'
import type { Consistency, RaftNode } from './node.ts'
import type { Asked } from './questions.ts'

type Asker = Pick<Core<never, never>, 'questions' | 'arrivals' | 'deadlines' | 'state'>

/** A question as an Observable of its answer. */
export const querying =
  <Q, A>(
    machine: Application<Q, A>,
    core: Asker,
    defaultTimeout: number,
  ): RaftNode<never, never, Q, A>['query'] =>
  (question, { consistency = 'linearizable', timeout = defaultTimeout } = {}) => {
    check(consistency)
    return new Observable<A>((subscriber) => {
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
      if (holdsNow(consistency, core) || lacksState(core.state)) return answer()
      const expire = (): void => {
        const isLed = leaderOf(core.state) !== undefined
        fail(isLed ? new Timeout(timeout, 'none') : new NotLeader(undefined))
      }
      subscriber.add(core.deadlines.set(timeout, { expire }))
      subscriber.add(wait(consistency, core, { answer, fail }))
    })
  }

/** Whether what this server has applied is good enough already. */
function holdsNow(consistency: Consistency, { questions, state }: Asker): boolean {
  if (typeof consistency === 'string') return consistency === 'stale'
  return 'within' in consistency
    ? questions.isConfirmedWithin(consistency.within)
    : state.appliedIndex >= consistency.atLeast
}

/** Waits until it is. The returned function takes the question back. */
const wait = (consistency: Consistency, { questions, arrivals }: Asker, asked: Asked) =>
  typeof consistency === 'object' && 'atLeast' in consistency
    ? arrivals.wait(consistency.atLeast, asked)
    : questions.ask(asked)

const EXPECTED =
  "'linearizable', 'stale', { within: ms } with 0 or more, or { atLeast: index } with a whole number from 0 on"

function check(consistency: unknown): void {
  if (consistency === 'linearizable' || consistency === 'stale') return
  const { within, atLeast } = Object(consistency) as { within?: unknown; atLeast?: unknown }
  const isAge = typeof within === 'number' && within >= 0 && atLeast === undefined
  const isIndex = Number.isSafeInteger(atLeast) && Number(atLeast) >= 0 && within === undefined
  if (!isAge && !isIndex) throw new ConfigError('consistency', consistency, EXPECTED)
}
