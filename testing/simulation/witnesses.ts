import { areTooMany } from '../../lib/witnesses.ts'
import type { Members, NodeId, Plan } from '../../lib/types.ts'
import { Chance } from './chance.ts'

/** So many runs have witnesses. */
const WITNESSES = 0.35

/** And in them, so many of the spare servers are witnesses. */
const SPARE = 0.3

/**
 * The servers that are witnesses for as long as they live, since no server may turn into one, or from one into
 * another: drawn from the seed, or so many founders as are asked for, and a spare server or two.
 */
export function drawWitnesses(
  seed: number,
  founders: readonly NodeId[],
  spares: readonly NodeId[],
  wanted?: number,
): ReadonlySet<NodeId> {
  const chance = new Chance(seed, 'witnesses')
  const most = Math.floor(founders.length / 2)
  const isOn = chance.is(WITNESSES)
  const count = wanted ?? (isOn ? chance.whole(0, most) : 0)
  if (wanted === 0 || (wanted === undefined && !isOn)) return new Set()
  const chosen = chance.shuffle(founders).slice(0, count)
  return new Set([...chosen, ...spares.filter(() => chance.is(SPARE))])
}

/**
 * The plan with each server in the place that it is fit for: whoever is a witness is named as one. What cannot be
 * done by a change is asked for now and then, where it is sure to be refused.
 */
export function fitted(plan: Plan, witnesses: ReadonlySet<NodeId>): Plan {
  const { voters = [], learners = [], ...rest } = plan
  const isFull = (id: NodeId): boolean => !witnesses.has(id)
  const named = [...voters, ...learners].filter((id) => witnesses.has(id))
  if (named.length === 0) return plan
  return {
    ...rest,
    voters: voters.filter(isFull),
    learners: learners.filter(isFull),
    witnesses: named,
  }
}

/** What is refused for the sake of witnesses: another part for a server, or for too many of them. */
export function drawRefused(
  chance: Chance,
  { index: expected, voters, witnesses }: Members,
): Plan | undefined {
  const full = voters.filter((id) => !witnesses.includes(id))
  const own = voters.filter((id) => witnesses.includes(id))
  // Only of the configuration that is known: in another one, it might be done.
  if (own.length > 0 && chance.is(0.3)) return { expected, voters: [chance.pick(own)] }
  if (own.length > 0 && chance.is(0.3)) return { expected, learners: [chance.pick(own)] }
  // Somebody leaves, so that there is something to do.
  const [turned, leaver] = chance.shuffle(full)
  if (leaver !== undefined && chance.is(0.5)) {
    return { expected, witnesses: [turned!], remove: [leaver] }
  }
  return own.length > 0 ? { expected, remove: full } : undefined
}

/** Whether every majority has a server that is no witness, and not `lost` either. */
export const areSafe = (
  voters: readonly NodeId[],
  witnesses: ReadonlySet<NodeId>,
  isLost: (id: NodeId) => boolean,
): boolean =>
  !areTooMany(voters.length, voters.filter((id) => witnesses.has(id) || isLost(id)).length)
