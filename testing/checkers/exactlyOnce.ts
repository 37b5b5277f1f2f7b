import type { AppliedBatch } from '../../lib/turn.ts'
import type { Index } from '../../lib/types.ts'
import type { MakeChecker, Request, Response } from './observation.ts'

/** How often one command was asked for, what was answered, and how often it was applied. */
interface Count {
  readonly request: Request
  asked: number
  done: number
  failed: number
  applied: number
}

/**
 * A command that was answered `ok` is applied exactly once, one that `failed` never, one whose outcome is
 * unknown at most once; nothing is applied that nobody asked for. Commands are told apart by what they
 * say: words that are unique make this sharp.
 */
export const exactlyOnce: MakeChecker = (violate) => {
  const counts = new Counts(violate)
  return {
    name: 'exactly once',
    observe: (seen) => {
      if (seen.type === 'step') for (const batch of seen.step.applied) counts.apply(batch)
      if (seen.type === 'invoked') counts.ask(seen.operation, seen.request)
      if (seen.type === 'returned') counts.answer(seen.operation, seen.response)
      if (seen.type === 'ended') counts.end()
    },
  }
}

class Counts {
  readonly #counts = new Map<string, Count>()
  readonly #asked = new Map<number, Count>()
  #last: Index = 0

  constructor(private readonly violate: (message: string) => void) {}

  ask(operation: number, request: Request): void {
    if (request.type === 'get') return
    const key = keyOf(request)
    const count = this.#counts.get(key) ?? { request, asked: 0, done: 0, failed: 0, applied: 0 }
    count.asked++
    this.#counts.set(key, count)
    this.#asked.set(operation, count)
  }

  answer(operation: number, { type }: Response): void {
    const count = this.#asked.get(operation)
    if (count === undefined) return
    if (type === 'ok') count.done++
    if (type === 'failed') count.failed++
    this.#judge(count)
  }

  apply({ outcomes }: AppliedBatch): void {
    for (const outcome of outcomes) {
      const { index, command } = outcome as { readonly index: Index; readonly command: Request }
      // Another server, or another life, applies the same again.
      if (index <= this.#last) continue
      this.#last = index
      const count = this.#counts.get(keyOf(command))
      if (count === undefined) {
        this.violate(`${JSON.stringify(command)} was applied at ${index} and never asked for`)
        continue
      }
      count.applied++
      this.#judge(count)
    }
  }

  end(): void {
    for (const { request, done, applied } of this.#counts.values()) {
      if (applied >= done) continue
      const what = JSON.stringify(request)
      this.violate(`${what} was answered ok ${done} times and applied ${applied} times`)
    }
  }

  #judge({ request, asked, failed, applied }: Count): void {
    if (applied <= asked - failed) return
    const what = JSON.stringify(request)
    this.violate(
      `${what} was asked for ${asked} times, failed ${failed} times and was applied ${applied} times`,
    )
  }
}

/** Commands that say the same are the same. */
export const keyOf = ({ type, key, ...rest }: Request): string =>
  `${type} ${key} ${'value' in rest ? rest.value : ''}`
