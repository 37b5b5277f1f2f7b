import { Observable } from 'rxjs'
import { Compacted } from '../lib/errors.ts'
import type { Index } from '../lib/types.ts'
import type { Commit, RaftNode } from './engine/node.ts'

/**
 * Every applied command from `index` on, without a gap: the past from the log, then live.
 *
 * ```
 * applied so far          123
 * commits$                -----4--5---|
 * commitsFrom(node, 2)    (23)-4--5---|
 * ```
 *
 * Cold; completes when the node stops. Errors with `Compacted` when the log no longer reaches back to
 * `index`, or the node takes over a snapshot that jumps over what is due, and when the node fails.
 */
export function commitsFrom<C>(
  node: Pick<RaftNode<C, unknown>, 'commits$' | 'restored$' | 'history'>,
  index: Index,
): Observable<Commit<C>> {
  return new Observable((subscriber) => {
    let next = index
    const emit = ({ index: at, term, command }: Commit<C>): void => {
      if (at < next) return
      next = at + 1
      subscriber.next({ index: at, term, command })
    }
    for (let past = node.history(next); past.length > 0; past = node.history(next)) {
      for (const commit of past) {
        emit(commit)
        if (subscriber.closed) return
      }
    }
    subscriber.add(
      node.restored$.subscribe((through) => {
        if (through >= next) subscriber.error(new Compacted(next, through + 1))
      }),
    )
    subscriber.add(
      node.commits$.subscribe({
        next: emit,
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    )
  })
}
