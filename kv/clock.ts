import { switchMap } from 'rxjs'
import type { Applied, Term } from 'rxraft'
import type { Command, Result, StoreNode } from './machine.ts'

/**
 * The time of the log, in ms: what the last leader said of it in an entry, and what has passed since that
 * entry was applied here, by a clock that only measures. So no wall clock counts, a server that was
 * away knows no time that it did not see pass, and all agree again with each entry that tells the time.
 */
export class Clock {
  #stamp = 0
  /** When the stamp held, by this server's own clock. */
  #heard: number
  /** The term in which this server leads. */
  #leads: Term | undefined

  /** Must be there before the node connects. `elapsed` is in ms, and never goes back. */
  constructor(
    node: Pick<StoreNode, 'commits$' | 'restored$' | 'role$' | 'query'>,
    private readonly elapsed: () => number = () => performance.now(),
  ) {
    this.#heard = elapsed()
    const error = (): void => undefined
    node.role$.subscribe({
      next: ({ role, term }) => (this.#leads = role === 'leader' ? term : undefined),
      error,
    })
    node.restored$
      .pipe(switchMap(() => node.query({ type: 'clock' }, { consistency: 'stale' })))
      .subscribe({ next: ({ now }) => this.#hear(now), error })
    node.commits$.subscribe({ next: (commit) => this.#take(commit), error })
  }

  /** What this server would say now. */
  now(): number {
    return this.#stamp + Math.floor(this.elapsed() - this.#heard)
  }

  #take({ command, term }: Applied<Command, Result>): void {
    const stamp = stampIn(command)
    // What this leader has said itself is older by the time that it took.
    if (stamp !== undefined && term !== this.#leads) this.#hear(stamp)
  }

  #hear(stamp: number): void {
    if (stamp <= this.#stamp) return
    this.#stamp = stamp
    this.#heard = this.elapsed()
  }
}

/** When a command was proposed, if it says so. */
function stampIn(command: Command): number | undefined {
  switch (command[0]) {
    case 'time':
      return command[1]
    case 'put':
      return command.length === 4 ? undefined : command[4]?.at
    case 'once':
      return stampIn(command[3])
    case 'delete':
      return undefined
  }
}
