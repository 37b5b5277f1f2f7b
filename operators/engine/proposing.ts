import { Observable, type SchedulerLike } from 'rxjs'
import { ConfigError, Superseded, Timeout } from '../../lib/errors.ts'
import type { Request, Session } from '../../lib/sessions.ts'
import type { Millis } from '../../lib/types.ts'
import type { Deadlines } from './deadlines.ts'
import type { Progress, RaftNode, RequestName, Settle } from './node.ts'
import { Proposal, type Proposer } from './proposal.ts'

export interface ProposingOptions {
  /** A proposal's time limit. */
  readonly timeout: Millis
  /** Who was sent away comes again after so long: a `retry()` in a circle would leave no time to the node. */
  readonly pause: Millis
  readonly deadlines: Deadlines
  readonly scheduler: SchedulerLike
}

/** A proposal as an Observable of how far it has come. */
export const proposing =
  <C, R>(
    proposer: Proposer<C, R>,
    { timeout: defaultTimeout, pause, deadlines, scheduler }: ProposingOptions,
  ): RaftNode<C, R>['propose'] =>
  (command, { timeout = defaultTimeout, request } = {}) => {
    const proposal = new Proposal(command, proposer, request && checked(request))
    return new Observable<Progress<R>>((subscriber) => {
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
          // What another attempt may have done, is not abandoned yet.
          const isAbandoned = error instanceof Superseded && !proposal.isOpen
          if (!isAbandoned) return subscriber.error(error)
          subscriber.next({ type: 'abandoned', reason: error })
          subscriber.complete()
        },
      }
      // What was submitted is not taken back: where turns are slow, it enters the log after its deadline.
      const expire = (): void => subscriber.error(new Timeout(timeout, 'unknown'))
      subscriber.add(deadlines.set(timeout, { expire }))
      const attempt = (): void => proposal.attempt(settle)
      if (!proposal.isRefused) attempt()
      else subscriber.add(scheduler.schedule(attempt, pause))
    })
  }

/** A new session as an Observable of its name. */
export const openingSession = (
  open: (settle: Settle<Session>) => void,
  { timeout, deadlines }: Pick<ProposingOptions, 'timeout' | 'deadlines'>,
): Observable<Session> =>
  new Observable((subscriber) => {
    const expire = (): void => subscriber.error(new Timeout(timeout, 'unknown'))
    subscriber.add(deadlines.set(timeout, { expire }))
    open({
      applied: (session) => {
        subscriber.next(session)
        subscriber.complete()
      },
      failed: (error) => subscriber.error(error),
    })
  })

/** Throws `ConfigError` for a name that cannot be. */
export function checked({ session, sequence, lowest = sequence }: RequestName): Request {
  const { index, term } = session
  const isSession = isCount(index) && index > 0 && isCount(term)
  if (!isSession || !isCount(sequence) || !isCount(lowest) || lowest > sequence) {
    const expected = 'a session that was opened, and a sequence from 0 on that is not below lowest'
    throw new ConfigError('request', { session, sequence, lowest }, expected)
  }
  return { session: { index, term }, sequence, lowest }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0
