import { Chance } from './chance.ts'
import { survivable, type ChaosOptions } from './chaos.ts'
import type { FaultEvent } from './faults.ts'
import { snapshotTaste, type SnapshotTaste } from './snapshotTaste.ts'
import type { StoreOptions } from './store.ts'
import type { Trouble } from './trouble.ts'

/** How servers are in one run. */
export interface Taste extends Omit<SnapshotTaste, 'options'> {
  readonly options: Partial<StoreOptions>
}

/**
 * How one run is, as its seed likes it: in some, leaders answer reads by leases, in some, sessions are short, and in
 * some, followers pass on what is proposed to them, or servers compare their states.
 */
export function tasteOf(seed: number, maxClockDrift: number | undefined): Taste {
  const snapshots = snapshotTaste(new Chance(seed, 'snapshots'))
  const leases = maxClockDrift === undefined ? {} : { leaseReads: true, maxClockDrift }
  const fingerprintEntries = fingerprintTaste(new Chance(seed, 'fingerprints'))
  const calls = { ...sessionTaste(seed), ...forwardTaste(seed), fingerprintEntries }
  const options = { ...snapshots.options, ...calls, ...leases }
  return { ...snapshots, options }
}

/** After how many entries servers compare their states: in most runs, never. */
const fingerprintTaste = (chance: Chance): number =>
  chance.is(0.6) ? 1_000_000 : Math.round(60 ** chance.next())

/** In some runs followers pass proposals on, in some of those so few at a time that others are declined. */
function forwardTaste(seed: number): Pick<StoreOptions, 'forward' | 'maxInflightMessages'> {
  const chance = new Chance(seed, 'forwarding')
  if (chance.is(0.6)) return {}
  return { forward: true, ...(chance.is(0.3) && { maxInflightMessages: chance.whole(1, 3) }) }
}

type SessionTaste = Partial<
  Pick<StoreOptions, 'maxSessions' | 'maxOpenProposals' | 'sessionEntries'>
>

/** Sessions that are forgotten before their clients have come to an end. */
function sessionTaste(seed: number): SessionTaste {
  const chance = new Chance(seed, 'sessions')
  if (chance.is(0.7)) return {}
  return {
    maxSessions: chance.whole(3, 12),
    maxOpenProposals: chance.whole(2, 20),
    sessionEntries: chance.whole(10, 500),
  }
}

/** Leases rest on clocks: so often they are on, and the clocks then differ within a bound that is drawn, too. */
const LEASES = 0.4

/**
 * How much faster the fastest clock may run than the slowest in a run with leases; `undefined` in one without. There are none
 * where faults are asked for that no lease survives.
 */
export function leaseTaste(
  seed: number,
  faults: Pick<ChaosOptions, 'kinds'> | readonly FaultEvent[] | undefined,
): number | undefined {
  const chance = new Chance(seed, 'leases')
  const isOn = chance.is(LEASES)
  const drift = 0.02 * 50 ** chance.next()
  return isOn && faults !== undefined && isTimely(faults, drift) ? drift : undefined
}

function isTimely(
  faults: Pick<ChaosOptions, 'kinds'> | readonly FaultEvent[],
  drift: number,
): boolean {
  if (!('length' in faults)) return faults.kinds?.some(isAboutClocks) !== true
  const furthest = Math.sqrt(1 + drift) + 1e-9
  return faults.every(
    (fault) =>
      fault.type !== 'jump' &&
      (fault.type !== 'drift' || (fault.rate <= furthest && fault.rate >= 1 / furthest)),
  )
}

const isAboutClocks = (kind: Trouble): boolean => kind === 'jump' || kind === 'drift'

/** The faults of a run with leases: clocks drift within the bound, and do not jump. */
export const timely = (drift: number): Pick<ChaosOptions, 'kinds' | 'drift'> => ({
  kinds: survivable.filter((kind) => kind !== 'jump'),
  drift,
})
