import type { Chance } from './chance.ts'
import { snapshotTaste, type SnapshotTaste } from './snapshotTaste.ts'
import type { StoreOptions } from './store.ts'

/** How servers are in one run. */
export interface Taste extends Omit<SnapshotTaste, 'options'> {
  readonly options: Partial<StoreOptions>
}

/** All that is drawn of a run, besides its faults. */
export const tasteOf = (snapshots: Chance): Taste => snapshotTaste(snapshots)
