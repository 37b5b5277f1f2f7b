import type { NodeId, Term } from '../../lib/types.ts'
import type { MakeChecker } from './observation.ts'

/** At most one leader can be elected in a given term (§5.2, Election Safety), over all lives. */
export const electionSafety: MakeChecker = (violate) => {
  const leaders = new Map<Term, { readonly id: NodeId; readonly life: number }>()
  return {
    name: 'election safety',
    observe: (seen) => {
      if (seen.type !== 'step' || seen.step.state.role.type !== 'leader') return
      const { id, life } = seen
      const { term } = seen.step.state
      const known = leaders.get(term)
      if (known === undefined) leaders.set(term, { id, life })
      else if (known.id !== id || known.life !== life) {
        violate(`${known.id} in life ${known.life} and ${id} in life ${life} both led term ${term}`)
      }
    },
  }
}
