import type { Index, Members, NodeId, Term } from '../../lib/types.ts'
import { Disks } from './disks.ts'
import { termIn, visitLog } from './entries.ts'
import { Lives } from './lives.ts'
import { isMajority } from './majority.ts'
import type { MakeChecker } from './observation.ts'

/**
 * What a server calls committed is on the disks of a majority (§5.3), and a leader commits by counting only
 * entries of its own term (§5.4.2, Figure 8).
 */
export const durableCommit: MakeChecker = (violate) => {
  const disks = new Disks()
  const lives = new Lives<{ commit: Index; members: Members | undefined }>(() => ({
    commit: 0,
    members: undefined,
  }))
  let known: Index = 0

  const count = (id: NodeId, members: Members, index: Index, term: Term): void => {
    if (isMajority(members, (voter) => disks.holds(voter, index, term))) return
    const voters = new Set([...members.voters, ...members.outgoing])
    const holders = [...voters].filter((voter) => disks.holds(voter, index, term))
    violate(
      `${id} committed ${index}@${term}, which only the disks of ` +
        `${holders.length} of ${voters.size} servers hold`,
    )
  }

  return {
    name: 'durable commit',
    observe: (seen) => {
      disks.observe(seen)
      if (seen.type !== 'step') return
      const { id, step } = seen
      const { commitIndex, log, role, term, members } = step.state
      const life = lives.of(id, seen.life)
      // A leader counts first, and then writes the next configuration.
      const counted = life.members ?? members
      life.members = members
      if (commitIndex <= life.commit) return
      life.commit = commitIndex
      const newest = termIn(log, commitIndex)
      if (role.type === 'leader' && newest !== term) {
        violate(`${id}, leader of term ${term}, committed by counting ${commitIndex}@${newest}`)
      }
      if (commitIndex <= known) return
      visitLog(log, known + 1, commitIndex, (index, of) => count(id, counted, index, of))
      known = commitIndex
    },
  }
}
