/** A write that takes longer, in ms, must not hold up the loop again. */
const SLOW = 40
/** Writes that take no longer than this, in ms, so many of them in a row, and the disk is trusted again. */
const QUICK = 10
const QUICK_WRITES = 32

/**
 * Decides how to wait for the disk. On two busy cores, handing a write to another thread and hearing of
 * it costs switches that a quick write can be spared, so the loop waits for a quick disk itself. One that
 * stalls holds it up once: from then on it is waited for in the background, until it is quick for a while.
 */
export class Pace {
  #quickInRow: number

  /** @param isAlwaysBackground Never hold up the loop, not even once. */
  constructor(
    private readonly isAlwaysBackground: boolean,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#quickInRow = QUICK_WRITES
  }

  get isQuick(): boolean {
    return !this.isAlwaysBackground && this.#quickInRow >= QUICK_WRITES
  }

  /** A write begins; the returned function is called when it has ended. */
  begin(): () => void {
    const began = this.now()
    return () => this.took(this.now() - began)
  }

  private took(ms: number): void {
    if (this.isQuick ? ms > SLOW : ms > QUICK) this.#quickInRow = 0
    else this.#quickInRow++
  }
}
