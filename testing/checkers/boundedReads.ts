import type { AppliedBatch } from '../../lib/turn.ts'
import type { Index, Millis } from '../../lib/types.ts'
import { keyOf } from './exactlyOnce.ts'
import type { Bound, MakeChecker, Observation, Request, Response } from './observation.ts'
import { Versions } from './versions.ts'

/**
 * A get that may miss something sees what the store held after some entry: no earlier one than it asked for, and
 * none before what was acknowledged, on any key, before the moment as of which it is answered.
 */
export const boundedReads: MakeChecker = (violate) => {
  const reads = new BoundedReads(violate)
  return { name: 'bounded reads', observe: (seen) => reads.observe(seen) }
}

type BoundedGet = Extract<Request, { type: 'get' }> & Bound

/** From `at` on it was known to whoever asked that everything through `index` is done. */
interface Acknowledged {
  readonly at: Millis
  readonly index: Index
}

interface Early {
  readonly key: string
  readonly value: string | undefined
  readonly what: string
}

class BoundedReads {
  readonly #versions = new Versions()
  /** The entry of each command that was applied. */
  readonly #entries = new Map<string, Index>()
  readonly #open = new Map<number, Request>()
  /** In the order of time, each further than those before it. */
  readonly #acknowledged: Acknowledged[] = []
  /** Answers that nobody has seen the command of yet. */
  readonly #early: Early[] = []
  #isHealed = false
  #last: Index = 0

  constructor(private readonly violate: (message: string) => void) {}

  observe(seen: Observation): void {
    if (seen.type === 'step') for (const batch of seen.step.applied) this.#apply(batch)
    if (seen.type === 'healed') this.#isHealed = true
    if (seen.type === 'ended' && this.#isHealed) this.#end()
    if (seen.type === 'invoked') this.#open.set(seen.operation, seen.request)
    if (seen.type !== 'returned') return
    const request = this.#open.get(seen.operation)
    this.#open.delete(seen.operation)
    if (request === undefined || seen.response.type !== 'ok') return
    if (isBounded(request)) this.#judge(request, seen.response)
    else this.#acknowledge(seen.at, this.#indexOf(request, seen.response))
  }

  #apply({ outcomes }: AppliedBatch): void {
    for (const outcome of outcomes) {
      const { index, command } = outcome as { readonly index: Index; readonly command: Request }
      // Another server, or another life, applies the same again.
      if (index <= this.#last) continue
      this.#last = index
      this.#versions.apply(index, command)
      this.#entries.set(keyOf(command), index)
    }
  }

  /** What somebody who hears this can be sure of. */
  #indexOf(request: Request, { value }: Extract<Response, { type: 'ok' }>): Index {
    if (request.type !== 'get') return this.#entries.get(keyOf(request)) ?? 0
    return this.#versions.firstWith(request.key, value) ?? 0
  }

  #acknowledge(at: Millis, index: Index): void {
    if (index > (this.#acknowledged.at(-1)?.index ?? 0)) this.#acknowledged.push({ at, index })
  }

  #end(): void {
    for (const { key, value, what } of this.#early) {
      if (this.#versions.lastWith(key, value) !== undefined) continue
      this.violate(`a get was answered ${what}, which no state held`)
    }
  }

  #judge(
    { key, atLeast = 0 }: BoundedGet,
    { value, asOf = -Infinity }: Extract<Response, { type: 'ok' }>,
  ): void {
    const known = this.#acknowledged.findLast(({ at }) => at < asOf)?.index ?? 0
    const floor = Math.max(atLeast, known)
    const through = this.#versions.lastWith(key, value)
    const what = `${JSON.stringify(value)} for ${key}`
    if (through === undefined) {
      // A state machine may be ahead of what is known of it.
      this.#early.push({ key, value, what })
    } else if (through < floor) {
      this.violate(
        `a get that must see entry ${floor} was answered ${what}, which was over by ${through + 1}`,
      )
    }
  }
}

/** Whether a request is a get that may miss something. */
export const isBounded = (request: Request): request is BoundedGet =>
  request.type === 'get' && (request.within !== undefined || request.atLeast !== undefined)
