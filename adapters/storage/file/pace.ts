import { asyncScheduler, firstValueFrom, merge, ReplaySubject, timer } from 'rxjs'

/** So many times as long as a piece of work took, nothing is done after it: a quarter of the disk's time is enough. */
const REST = 3

/** At least so many ms: a quick disk leaves the processor no time. */
const SHORTEST_REST = 5

/** But no longer than so many ms, however slow the disk is. */
const LONGEST_REST = 50

/**
 * Work that can wait, with rests between its pieces, in which the disk is there for what cannot. A disk that has
 * little to do is quick, and then the rests are short.
 */
export class Pace {
  isHurried = false
  readonly #hurry$ = new ReplaySubject<void>(1)

  /** Resolves with what the work does, after a rest. */
  async after<T>(work: () => Promise<T>): Promise<T> {
    const began = asyncScheduler.now()
    const result = await work()
    // Whole milliseconds of a clock that may jump: right on average, and never beyond the longest.
    const due = REST * (asyncScheduler.now() - began)
    const rest = Math.min(LONGEST_REST, Math.max(SHORTEST_REST, due))
    await firstValueFrom(merge(timer(rest), this.#hurry$))
    return result
  }

  /** There are no more rests. */
  hurry(): void {
    this.isHurried = true
    this.#hurry$.next()
  }
}
