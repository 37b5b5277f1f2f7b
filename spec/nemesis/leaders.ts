import type { Standing } from './standing.ts'

/** Who led when, put together from what the servers say of themselves. */
export class Leaders {
  readonly problems: string[] = []
  readonly #leaderOf = new Map<number, string>()
  /** The newest term in which each server was seen to lead: a term that its disk has. */
  readonly #ledIn = new Map<string, number>()
  #newest = 0

  /** What one server said, in the order in which it was asked. */
  heard({ id, role, term }: Standing): void {
    // Until its log is read, a server knows of no term.
    if (term === 0) return
    // A follower may show a term that is still on its way to the disk, and lose it by a crash.
    const led = this.#ledIn.get(id) ?? 0
    if (term < led) this.problems.push(`${id} went back to term ${term}: it had led in ${led}`)
    if (role !== 'leader') return
    this.#ledIn.set(id, Math.max(led, term))
    const leader = this.#leaderOf.get(term)
    if (leader === undefined) this.#leaderOf.set(term, id)
    else if (leader !== id) this.problems.push(`${leader} and ${id} both lead in term ${term}`)
    this.#newest = Math.max(this.#newest, term)
  }

  /** The leader of the newest term that has one. */
  get current(): string | undefined {
    return this.#leaderOf.get(this.#newest)
  }

  /** How often somebody was elected after the first time. */
  get changes(): number {
    return Math.max(0, this.#leaderOf.size - 1)
  }
}
