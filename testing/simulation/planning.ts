import { resolve } from '../../lib/members.ts'
import type { Members, NodeId, Plan } from '../../lib/types.ts'
import type { Chance } from './chance.ts'

/** No cluster gets more voters than that. */
const MOST = 7

/** Servers among which a plan is drawn. */
export interface Candidates {
  /** Servers that can be taken in, those that never were members first. */
  readonly fresh: readonly NodeId[]
  /** Members whose disks cannot be read: somebody should take their place. */
  readonly broken: readonly NodeId[]
}

/** What administrators want, as it occurs to them: some of it is refused, and some of it makes no sense. */
export function drawPlan(chance: Chance, members: Members, candidates: Candidates): Plan {
  const plan = drawWish(chance, members, candidates)
  const { voters } = resolve(members, plan)
  const isTooMuch = voters.length > MOST || (voters.length === 0 && !chance.is(0.1))
  return isTooMuch ? {} : { ...plan, ...drawExpected(chance, members) }
}

function drawWish(chance: Chance, members: Members, { fresh, broken }: Candidates): Plan {
  const { voters, learners } = members
  const [newcomer, ...newcomers] = fresh
  const leaver = broken.length > 0 && chance.is(0.7) ? chance.pick(broken) : chance.pick(voters)
  const dice = chance.next()
  if (dice < 0.15 && newcomer !== undefined) return { voters: [newcomer] }
  if (dice < 0.25 && newcomer !== undefined) return { learners: [newcomer] }
  if (dice < 0.35 && learners.length > 0) return { voters: [chance.pick(learners)] }
  if (dice < 0.42 && learners.length > 0) return { remove: [chance.pick(learners)] }
  if (dice < 0.5) return { learners: [leaver] }
  if (dice < 0.62) return { remove: [leaver] }
  if (dice < 0.82 && newcomer !== undefined) return { voters: [newcomer], remove: [leaver] }
  if (dice < 0.9 && newcomer !== undefined) {
    return { voters: fresh.slice(0, chance.whole(1, fresh.length)), remove: some(chance, voters) }
  }
  if (dice < 0.95) return { voters: newcomers, learners: some(chance, voters) }
  return { remove: some(chance, voters) }
}

const some = (chance: Chance, ids: readonly NodeId[]): readonly NodeId[] =>
  chance.shuffle(ids).slice(0, chance.whole(1, ids.length))

/** Most say nothing of what they expect, some what is there, and some what was there. */
function drawExpected(chance: Chance, { index }: Members): Pick<Plan, 'expected'> {
  const dice = chance.next()
  if (dice < 0.6) return {}
  return { expected: dice < 0.85 ? index : Math.max(0, index - chance.whole(1, 20)) }
}
