import type { State } from '../../lib/state.ts'
import type { Index, Members, NodeId } from '../../lib/types.ts'
import { termIn } from './entries.ts'
import { Lives } from './lives.ts'
import type { MakeChecker, Observation } from './observation.ts'
import { ReadMembers } from './readMembers.ts'

/**
 * One configuration leads to the next so that no two of them have majorities without a common server: voters change
 * by way of a joint configuration (§6). A leader writes one only when the one before it is committed,
 * and something of its own term is.
 */
export const membersSucceed: MakeChecker = (violate) => {
  const read = new ReadMembers()
  const lives = new Lives<{ last: Index }>(() => ({ last: -1 }))

  const judge = (id: NodeId, state: State, before: Members, now: Members): void => {
    const { log, term, commitIndex } = state
    if (!isSuccessor(before, now)) {
      violate(`${id} made ${tell(now)} of ${tell(before)}, which need have no server in common`)
    }
    if (state.role.type !== 'leader' || termIn(log, now.index) !== term) return
    if (before.index > commitIndex) {
      violate(`${id} wrote the members ${now.index} while those of ${before.index} are uncommitted`)
    }
    // What is committed may have gone from the log, but only with what was committed before it.
    if ((termIn(log, commitIndex) ?? term) !== term) {
      violate(`${id} wrote the members ${now.index} before it committed anything in term ${term}`)
    }
  }
  const take = ({ id, life, step }: Extract<Observation, { type: 'step' }>): void => {
    const { state } = step
    if (!state.booted) return
    const memory = lives.of(id, life)
    const all = read.of(id, life, state)
    const last = all.at(-1)!.index
    if (last === memory.last) return
    if (last > memory.last) {
      all.forEach((now, i) => {
        const before = all[i - 1]
        if (before !== undefined && now.index > memory.last) judge(id, state, before, now)
      })
    }
    memory.last = last
  }
  return {
    name: 'members succeed each other',
    observe: (seen) => {
      if (seen.type === 'step') take(seen)
    },
  }
}

function isSuccessor(before: Members, { voters, outgoing }: Members): boolean {
  if (before.voters.length === 0) return true // it joins, and does not know the founders
  if (isSame(voters, before.voters))
    return outgoing.length === 0 || isSame(outgoing, before.outgoing)
  return before.outgoing.length === 0 && isSame(outgoing, before.voters)
}

const isSame = (some: readonly NodeId[], others: readonly NodeId[]): boolean =>
  some.join(' ') === others.join(' ')

const tell = ({ voters, outgoing }: Members): string =>
  outgoing.length === 0 ? voters.join(' ') : `${outgoing.join(' ')} with ${voters.join(' ')}`
