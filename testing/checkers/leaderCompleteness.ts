import type { Log } from '../../lib/log.ts'
import type { Index, NodeId, Term } from '../../lib/types.ts'
import { termIn, visitLog } from './entries.ts'
import type { MakeChecker } from './observation.ts'

/** A leader with its log as it was when it began to lead. */
interface Elected {
  readonly id: NodeId
  readonly term: Term
  readonly log: Log
}

/** An entry with the term in which it was committed, at the latest. */
interface Committed {
  readonly term: Term
  readonly during: Term
}

/**
 * An entry committed in a given term is present in the logs of the leaders of all higher terms (§5.4,
 * Leader Completeness). Looked at from both sides: a new leader's log for what is committed, and a new
 * commit in the logs of leaders that are later than it. What a log no longer reaches back to, a snapshot
 * stands for.
 */
export const leaderCompleteness: MakeChecker = (violate) => {
  const committed: Committed[] = [{ term: 0, during: 0 }]
  const leaders: Elected[] = []
  const terms = new Set<Term>()

  const elect = (leader: Elected): void => {
    leaders.push(leader)
    terms.add(leader.term)
    const missing = committed.findIndex(
      ({ term, during }, index) => during < leader.term && lacks(leader, index, term),
    )
    if (missing >= 0) tell(leader, missing, committed[missing]!)
  }
  const commit = (index: Index, entry: Committed): void => {
    committed[index] = entry
    const later = leaders.find(
      (leader) => leader.term > entry.during && lacks(leader, index, entry.term),
    )
    if (later !== undefined) tell(later, index, entry)
  }
  const tell = ({ id, term: leads }: Elected, index: Index, { term, during }: Committed): void =>
    violate(
      `${id}, leader of term ${leads}, lacks entry ${index}@${term}, committed in term ${during}`,
    )

  return {
    name: 'leader completeness',
    observe: (seen) => {
      if (seen.type !== 'step') return
      const { id } = seen
      const { role, term, log, commitIndex } = seen.step.state
      if (role.type === 'leader' && !terms.has(term)) {
        elect({ id, term, log })
      }
      if (commitIndex < committed.length) return
      visitLog(log, committed.length, commitIndex, (index, entryTerm) => {
        if (index === committed.length) commit(index, { term: entryTerm, during: term })
      })
    },
  }
}

const lacks = ({ log }: Elected, index: Index, term: Term): boolean =>
  index >= log.base.index && termIn(log, index) !== term
