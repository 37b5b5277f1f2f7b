import {
  distinctUntilChanged,
  EMPTY,
  endWith,
  map,
  switchMap,
  type ObservableInput,
  type OperatorFunction,
} from 'rxjs'
import type { RoleStatus } from './engine/node.ts'
import type { Term } from '../lib/types.ts'

/**
 * Runs `work` while this server leads: a singleton service. `work` gets the term, which is a fencing
 * token: it only ever grows, so whatever the work writes to can refuse a smaller one. When the server no
 * longer leads, the work is unsubscribed; another leader may have begun its own a moment before, which
 * is what the token is for.
 *
 * ```
 * role$                 f---l--------f---l----|
 * work                      -a--b--c     -a--b--c
 * whileLeader(work)     -----a--b--c------a--b|
 * ```
 *
 * Completes with the roles. Errors when they or the work do: `retry()` begins again.
 */
export function whileLeader<T>(
  work: (term: Term) => ObservableInput<T>,
): OperatorFunction<RoleStatus, T> {
  return (roles) =>
    roles.pipe(
      map(({ role, term }) => (role === 'leader' ? term : undefined)),
      // The end of the roles ends the work, which `switchMap` alone would let finish.
      endWith(undefined),
      distinctUntilChanged(),
      switchMap((term) => (term === undefined ? EMPTY : work(term))),
    )
}
