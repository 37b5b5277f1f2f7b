import { termAt } from '../../lib/log.ts'
import type { State } from '../../lib/state.ts'
import type { Index, Term } from '../../lib/types.ts'
import type { Settle } from './node.ts'
import { guarded } from './report.ts'

/** Commands of one turn that are in the log together, waiting for what becomes of them. */
export interface Run<R> {
  readonly term: Term
  readonly index: Index
  readonly settles: readonly Settle<R>[]
  /** The first index that is not settled. */
  next: Index
  /** The first index of which nobody has been told that it is committed; `Infinity` where nobody wants to hear it. */
  untold: Index
}

/** Those who want to hear that their command is committed, before it is applied. */
export class Commits<R> {
  #runs: Run<R>[] = []

  add(run: Run<R>): void {
    this.#runs.push(run)
  }

  /** Tells everybody whose command is committed by now. */
  tell(state: Pick<State, 'log' | 'commitIndex'>): void {
    const runs = this.#runs
    if (runs.length === 0) return
    const newest = runs.at(-1)!.term
    // Within a term the indexes rise from run to run, so the first that is not reached is the end of the search.
    const isAhead = ({ term, untold }: Run<R>): boolean =>
      untold > state.commitIndex && term === newest
    const ahead = runs.findIndex(isAhead)
    if (ahead === 0) return
    const reached = ahead < 0 ? runs : runs.slice(0, ahead)
    this.#runs = ahead < 0 ? [] : runs.slice(ahead)
    this.#runs.unshift(...reached.filter((run) => !isTold(run, state)))
  }

  clear(): void {
    this.#runs = []
  }
}

/** Tells what is committed of a run. Whether there is nothing more to tell of it. */
function isTold<R>(run: Run<R>, { log, commitIndex }: Pick<State, 'log' | 'commitIndex'>): boolean {
  const { index, term, settles } = run
  const end = index + settles.length - 1
  const last = Math.min(commitIndex, end)
  if (last < run.untold) return run.next > end
  // The same index and term is the same entry (§5.3). Another one's place is told of when that is applied.
  if (termAt(log, last) !== term) return true
  tellCommits(run, run.next, last)
  return last === end
}

/** Tells of the entries from `first` to `last` what is not told yet. */
export function tellCommits<R>(run: Run<R>, first: Index, last: Index): void {
  const { index, term, settles } = run
  const from = Math.max(run.untold, first)
  run.untold = last + 1
  for (let at = from; at <= last; at++) tellCommit(settles[at - index]!, at, term)
}

export function tellCommit<R>(settle: Settle<R>, index: Index, term: Term): void {
  if (settle.committed !== undefined) guarded(() => settle.committed?.(index, term))
}
