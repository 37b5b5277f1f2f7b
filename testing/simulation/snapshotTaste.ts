import type { Chance } from './chance.ts'
import type { StoreOptions } from './store.ts'

/** How snapshots are in one run. */
export interface SnapshotTaste {
  readonly options: Required<
    Pick<StoreOptions, 'snapshotEntries' | 'snapshotBytes' | 'snapshotTailBytes'>
  >
  /** A piece that is read from a disk, in bytes. */
  readonly pieceBytes: number
  /** A snapshot has so many bytes besides what is in the store. */
  readonly ballast: number
}

/** From logs of which nothing stays to hardly a snapshot in the whole run, from small states to large ones. */
export function snapshotTaste(chance: Chance): SnapshotTaste {
  const isLarge = chance.is(0.1)
  return {
    options: {
      // A large state is not written too often, or the run takes long.
      snapshotEntries: between(chance, isLarge ? 30 : 1, isLarge ? 300 : 100),
      snapshotBytes: between(chance, isLarge ? 2_000 : 100, 50_000),
      snapshotTailBytes: chance.is(0.5) ? 0 : between(chance, 1, 5_000),
    },
    pieceBytes: isLarge ? between(chance, 50_000, 500_000) : between(chance, 50, 5_000),
    ballast: isLarge ? between(chance, 100_000, 700_000) : 0,
  }
}

/** A whole number of any magnitude. */
const between = (chance: Chance, min: number, max: number): number =>
  Math.round(min * (max / min) ** chance.next())
