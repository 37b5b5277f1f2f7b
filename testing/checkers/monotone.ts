import type { State } from '../../lib/state.ts'
import type { NodeId, Term } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import type { MakeChecker, Observation } from './observation.ts'

type Marks = Pick<State, 'term' | 'commitIndex' | 'appliedIndex' | 'booted'>

/**
 * Term, commit and applied index never go back within a life, and applied <= commit <= last index. A term
 * that is on disk never goes back at all, unless the disk was wiped.
 */
export const monotone: MakeChecker = (violate) => {
  const lives = new Lives<{ marks: Marks }>(() => ({
    marks: { term: 0, commitIndex: 0, appliedIndex: 0, booted: false },
  }))
  const durable = new Map<NodeId, Term>()

  const save = ({ id, term }: Extract<Observation, { type: 'durable' }>): void => {
    const before = durable.get(id) ?? 0
    if (term < before) violate(`the term on the disk of ${id} fell from ${before} to ${term}`)
    durable.set(id, term)
  }

  const take = ({ id, life, step }: Extract<Observation, { type: 'step' }>): void => {
    const known = lives.of(id, life)
    const { marks: before } = known
    const { state: now } = step
    const fell = fallen(before, now)
    if (fell !== undefined)
      violate(`the ${fell} of ${id} fell from ${before[fell]} to ${now[fell]}`)
    const beyond = outOfBounds(now)
    if (beyond !== undefined) violate(`${id} ${beyond}`)
    const saved = durable.get(id) ?? 0
    if (now.booted && !before.booted && now.term < saved) {
      violate(`${id} began in term ${now.term}, its disk was in term ${saved}`)
    }
    known.marks = now
  }

  return {
    name: 'monotone',
    observe: (seen) => {
      if (seen.type === 'wiped') durable.delete(seen.id)
      if (seen.type === 'durable') save(seen)
      if (seen.type === 'step') take(seen)
    },
  }
}

function fallen(before: Marks, now: Marks): 'term' | 'commitIndex' | 'appliedIndex' | undefined {
  if (now.term < before.term) return 'term'
  if (now.commitIndex < before.commitIndex) return 'commitIndex'
  return now.appliedIndex < before.appliedIndex ? 'appliedIndex' : undefined
}

function outOfBounds({ appliedIndex, commitIndex, log, term }: State): string | undefined {
  if (appliedIndex > commitIndex) {
    return `applied entry ${appliedIndex}, beyond its commit index ${commitIndex}`
  }
  if (commitIndex > log.lastIndex) {
    return `committed entry ${commitIndex}, beyond its last entry ${log.lastIndex}`
  }
  return log.lastTerm > term ? `has an entry of term ${log.lastTerm} in term ${term}` : undefined
}
