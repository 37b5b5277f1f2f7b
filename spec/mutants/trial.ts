import { bundle } from './bundle.ts'
import { hunting } from './child.ts'
import type { Catch, Hunt } from './hunt.ts'
import type { Mutant } from './mutant.ts'
import type { Options } from './options.ts'

/** What came of one mutant. */
export interface Verdict {
  readonly mutant: Mutant
  readonly caught: Catch | undefined
  /** Why not, in words. */
  readonly missed: string | undefined
  /** Real seconds that it took. */
  readonly took: number
}

/**
 * Plants one mutant and looks for the first seed that shows it; the engine without it must pass that seed,
 * or it was not the defect that was caught.
 */
export async function trial(mutant: Mutant, options: Options): Promise<Verdict> {
  const began = performance.now()
  const verdict = (result: Partial<Verdict>): Verdict => ({
    mutant,
    caught: undefined,
    missed: undefined,
    ...result,
    took: (performance.now() - began) / 1000,
  })
  const look = async (planted: Mutant | undefined, seeds: readonly number[]) =>
    hunting(await bundle(planted), huntFor(mutant, options, seeds), options.limit)
  try {
    const caught = await look(
      mutant,
      Array.from({ length: options.seeds }, (_, i) => i + 1),
    )
    if (caught === null) return verdict({ missed: `${options.seeds} seeds passed` })
    const { seed } = caught
    const sound = await look(undefined, [seed])
    return sound === null
      ? verdict({ caught })
      : verdict({ missed: `the engine without it fails at seed ${seed} too: ${sound.message}` })
  } catch (error) {
    return verdict({ missed: (error as Error).message })
  }
}

function huntFor({ setting = {} }: Mutant, options: Options, seeds: readonly number[]): Hunt {
  const { nodes = options.nodes, seconds = options.seconds, ...others } = setting
  return { seeds, nodes, seconds, setting: others }
}
