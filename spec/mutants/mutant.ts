import type { Administration } from '../../testing/simulation/administration.ts'
import type { ChaosOptions } from '../../testing/simulation/chaos.ts'
import type { StoreOptions } from '../../testing/simulation/store.ts'
import type { Workload } from '../../testing/simulation/workload.ts'

/** A line of `docs/known-bugs.md` or a row of `docs/faults.md`. */
export type Known = `bug ${number}` | `F${number}`

/** A defect that can be planted: one replacement in one file, made while the file is bundled. */
export interface Mutant {
  /** In kebab case, unique. */
  readonly name: string
  /** The defects of other implementations, or the faults handled wrongly, that it stands for. */
  readonly known: readonly Known[]
  /** What the engine then does wrong, in one sentence. */
  readonly defect: string
  /** A path in the repository, in `lib/` or `operators/engine/`. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
  /** What it takes to show, where a cluster like any other does not show it. */
  readonly setting?: Setting
}

/** A cluster unlike the others: the engine without the defect must pass in it too. */
export interface Setting {
  readonly nodes?: number
  /** Virtual seconds of faults. */
  readonly seconds?: number
  /** Founders that are witnesses. */
  readonly witnesses?: number
  readonly engine?: Pick<
    StoreOptions,
    | 'electionTimeout'
    | 'fingerprintEntries'
    | 'forward'
    | 'heartbeat'
    | 'leaseReads'
    | 'maxClockDrift'
    | 'maxInflightMessages'
    | 'snapshotEntries'
    | 'snapshotTailBytes'
  >
  readonly faults?: Omit<ChaosOptions, 'ids' | 'duration'>
  readonly workload?: Workload
  readonly administration?: Administration
}

/**
 * The source with the defect in it. Throws when the text to replace is not there exactly once: the
 * engine has changed, and the mutant has to follow it.
 */
export function plant({ name, file, find, replace }: Mutant, source: string): string {
  const places = source.split(find).length - 1
  if (places !== 1) {
    throw new Error(`mutant ${name} is stale: its text occurs ${places} times in ${file}, not once`)
  }
  return source.replace(find, () => replace)
}
