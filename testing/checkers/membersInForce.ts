import type { Index, Mark, Members } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import type { MakeChecker, Observation } from './observation.ts'
import { namesOf, ReadMembers } from './readMembers.ts'

/**
 * The last configuration in a server's log is in force there, committed or not, from the turn on in which it is
 * written; when it is cut off, the one before it is again (§6). The members in a snapshot are those that were
 * committed last before its end.
 */
export const membersInForce: MakeChecker = (violate) => {
  const configurations = new Configurations(violate)
  return { name: 'members in force', observe: (seen) => configurations.observe(seen) }
}

class Configurations {
  readonly #read = new ReadMembers()
  readonly #committed: Members[] = []
  readonly #lives = new Lives<{ mark: Mark | undefined; commit: Index }>(() => ({
    mark: undefined,
    commit: -1,
  }))

  constructor(private readonly violate: (message: string) => void) {}

  observe(seen: Observation): void {
    if (seen.type !== 'step' || !seen.step.state.booted) return
    const { id, life, step } = seen
    const { members, commitIndex, snapshot } = step.state
    const all = this.#read.of(id, life, step.state)
    const last = all.at(-1)!
    if (last.index !== members.index || namesOf(last) !== namesOf(members)) {
      this.violate(
        `${id} counts on the members ${namesOf(members)} of ${members.index}, ` +
          `its log says ${namesOf(last)} at ${last.index}`,
      )
    }
    const memory = this.#lives.of(id, life)
    if (memory.commit !== commitIndex) this.#learn(all, commitIndex)
    memory.commit = commitIndex
    if (snapshot === memory.mark) return
    memory.mark = snapshot
    if (snapshot !== undefined) this.#judge(id, snapshot)
  }

  #learn(all: readonly Members[], commitIndex: Index): void {
    const known = this.#committed
    for (const members of all) {
      const isNew = members.index > (known.at(-1)?.index ?? -1) && members.voters.length > 0
      if (isNew && members.index <= commitIndex) known.push(members)
    }
  }

  #judge(id: string, { index, members }: Mark): void {
    const last = this.#committed.findLast((it) => it.index <= index)
    if (last?.index === members.index && namesOf(last) === namesOf(members)) return
    this.violate(
      `the snapshot of ${id} through ${index} has the members ${namesOf(members)} of ` +
        `${members.index}, and not ${last && namesOf(last)} of ${last?.index ?? 'nowhere'}`,
    )
  }
}
