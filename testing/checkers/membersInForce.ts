import type { Step } from '../../lib/turn.ts'
import type { Index, Mark, Members } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import type { MakeChecker } from './observation.ts'
import { namesOf, ReadMembers } from './readMembers.ts'

/**
 * The last configuration in a server's log is in force there, committed or not, from the turn on in which it is
 * written; when it is cut off, the one before it is again (§6). The members in a snapshot are those that were
 * committed last before its end.
 */
export const membersInForce: MakeChecker = (violate) => {
  const read = new ReadMembers()
  const committed: Members[] = []
  const lives = new Lives<{ mark: Mark | undefined; commit: Index }>(() => ({
    mark: undefined,
    commit: -1,
  }))

  const learn = (all: readonly Members[], { commitIndex }: Step['state']): void => {
    for (const members of all) {
      const isNew = members.index > (committed.at(-1)?.index ?? -1) && members.voters.length > 0
      if (isNew && members.index <= commitIndex) committed.push(members)
    }
  }
  const judge = (id: string, { index, members }: Mark): void => {
    const last = committed.findLast((it) => it.index <= index)
    if (last !== undefined && last.index === members.index && namesOf(last) === namesOf(members))
      return
    violate(
      `the snapshot of ${id} through ${index} has the members ${namesOf(members)} of ` +
        `${members.index}, and not ${last && namesOf(last)} of ${last?.index ?? 'nowhere'}`,
    )
  }
  return {
    name: 'members in force',
    observe: (seen) => {
      if (seen.type !== 'step' || !seen.step.state.booted) return
      const { id, step } = seen
      const { state } = step
      const all = read.of(id, seen.life, state)
      const last = all.at(-1)!
      if (last.index !== state.members.index || namesOf(last) !== namesOf(state.members)) {
        violate(
          `${id} counts on the members ${namesOf(state.members)} of ${state.members.index}, ` +
            `its log says ${namesOf(last)} at ${last.index}`,
        )
      }
      const memory = lives.of(id, seen.life)
      if (memory.commit !== state.commitIndex) learn(all, state)
      memory.commit = state.commitIndex
      if (state.snapshot === memory.mark) return
      memory.mark = state.snapshot
      if (state.snapshot !== undefined) judge(id, state.snapshot)
    },
  }
}
