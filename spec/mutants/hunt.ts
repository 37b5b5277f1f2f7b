/**
 * Runs seeds, in a process of its own, until one reports a violation: the argument is a {@link Hunt} and
 * the last line of the output a {@link Catch}, or `null` when every seed passed.
 */
import { simulate } from '../../testing/simulation/simulate.ts'
import type { Setting } from './mutant.ts'

/** What to look through. */
export interface Hunt {
  readonly seeds: readonly number[]
  readonly nodes: number
  /** Virtual seconds of faults in each seed. */
  readonly seconds: number
  readonly setting: Omit<Setting, 'nodes' | 'seconds'>
}

/** Where a defect first showed. */
export interface Catch {
  readonly seed: number
  readonly checker: string
  readonly message: string
}

function hunt({ seeds, nodes, seconds, setting }: Hunt): Catch | null {
  const { engine, faults = {}, workload = {}, administration = {}, witnesses } = setting
  for (const seed of seeds) {
    const { violations } = simulate({
      nodes,
      seed,
      duration: seconds * 1000,
      faults,
      workload,
      administration,
      ...(witnesses !== undefined && { witnesses }),
      configure: (options) => ({ ...options, ...engine }),
    })
    const [first] = violations
    if (first !== undefined) return { seed, checker: first.checker, message: first.message }
  }
  return null
}

console.log(JSON.stringify(hunt(JSON.parse(process.argv[2]!) as Hunt)))
