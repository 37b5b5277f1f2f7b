import type { Fleet } from '../fleet.ts'
import type { Server } from '../server.ts'

/** What a fault is to do, and to whom. */
export interface Blow {
  readonly victims: readonly Server[]
  readonly others: readonly Server[]
  readonly fleet: Fleet
  /** 0 to 1, 1 excluded: how hard, or in which variant. */
  readonly strength: number
  /** Milliseconds until it is over. */
  readonly lasts: number
}

/** Ends the fault and tells how often it bit, in the unit of its kind: 0 when nothing came of it. */
export type Lift = () => Promise<number> | number

/** Begins the fault. */
export type Fault = (blow: Blow) => Promise<Lift> | Lift

/** Ends the parts of a fault together. */
export function all(lifts: readonly (() => number)[]): Lift {
  return () => lifts.reduce((sum, lift) => sum + lift(), 0)
}
