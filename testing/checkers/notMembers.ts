import type { MakeChecker } from './observation.ts'
import { ReadMembers } from './readMembers.ts'

/**
 * Whoever has no vote, as far as it knows and for good, neither leads nor asks to: a server that listens only or has
 * not been taken in, and one that was sent away, from the turn on in which it learns that this is committed (§6).
 */
export const notMembers: MakeChecker = (violate) => {
  const read = new ReadMembers()
  return {
    name: 'who has no vote does not lead',
    observe: (seen) => {
      if (seen.type !== 'step' || seen.step.state.role.type === 'follower') return
      const { id } = seen
      const { state } = seen.step
      const all = read.of(id, seen.life, state)
      const settled = all.findLastIndex(({ index }) => index <= state.commitIndex)
      const open = all.slice(Math.max(0, settled))
      if (open.some(({ voters, outgoing }) => voters.includes(id) || outgoing.includes(id))) return
      violate(`${id} is a ${state.role.type} in term ${state.term}, and has no vote`)
    },
  }
}
