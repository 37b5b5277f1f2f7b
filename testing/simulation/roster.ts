import { resolve } from '../../lib/members.ts'
import type { State } from '../../lib/state.ts'
import type { Members, Millis, NodeId, Plan, Term } from '../../lib/types.ts'
import { areSafe } from './witnesses.ts'

/** What is known of a server's configurations. */
interface Known {
  readonly configurations: readonly Members[]
  /** The newest one that is committed, as far as the server knows. */
  readonly settled: Members | undefined
}

/** Voters whose majority has to agree, and who else is there. */
type Group = Pick<Members, 'voters' | 'learners'>

/**
 * Who is a member, seen from outside; and who may come to be one, so that no fault and no plan leaves a cluster
 * without a quorum for good.
 */
export class Roster {
  /** The longest one that servers have. */
  electionTimeout: Millis = 0
  readonly #known = new Map<NodeId, Known>()
  readonly #plans = new Set<Plan>()
  #leader: { readonly term: Term; readonly members: Members } | undefined

  /** A server's configurations may have changed. */
  note(id: NodeId, { configurations, commitIndex, role, term, members, config }: State): void {
    if (role.type === 'leader' && term >= (this.#leader?.term ?? 0))
      this.#leader = { term, members }
    this.electionTimeout = config.electionTimeoutMax
    const known = this.#known.get(id)
    const settled = configurations.findLast(({ index }) => index <= commitIndex)
    if (known?.configurations === configurations && known.settled === settled) return
    this.#known.set(id, { configurations, settled })
  }

  /** A change is asked for. The returned function says that it is decided. */
  plan(plan: Plan): () => void {
    this.#plans.add(plan)
    return () => this.#plans.delete(plan)
  }

  /** The members as whoever led last knows them. */
  get members(): Members | undefined {
    return this.#leader?.members
  }

  isMember(id: NodeId): boolean {
    const { voters = [], outgoing = [], learners = [] } = this.members ?? {}
    return [...voters, ...outgoing, ...learners].includes(id)
  }

  /**
   * Whether there will be a quorum of sound servers, whatever comes of the changes under way, and of this one; and
   * whether whatever is committed will be on one of them that is no witness.
   */
  survives(isSound: (id: NodeId) => boolean, witnesses: ReadonlySet<NodeId>, plan?: Plan): boolean {
    const plans = plan === undefined ? [...this.#plans] : [...this.#plans, plan]
    const groups = new Map<string, Group>()
    const add = (group: Group): void => void groups.set(group.voters.join(' '), group)
    for (const group of this.#inForce()) add(group)
    // Each of them may come before or after another.
    for (let i = 0; i < plans.length; i++) {
      for (const group of [...groups.values()]) {
        for (const next of plans) {
          const target = resolve({ ...NOBODY, ...group }, next)
          if (target.voters.length > 0) add(target)
        }
      }
    }
    return [...groups.values()].every(
      ({ voters }) =>
        voters.filter(isSound).length * 2 > voters.length &&
        (witnesses.size === 0 || areSafe(voters, witnesses, (id) => !isSound(id))),
    )
  }

  /** What is committed, and what may yet take its place. */
  #inForce(): Group[] {
    const all = [...this.#known.values()]
    const floor = Math.max(...all.map(({ settled }) => settled?.index ?? 0))
    return all
      .flatMap(({ configurations }) => configurations)
      .filter(({ index, voters }) => index >= floor && voters.length > 0)
      .flatMap(({ voters, outgoing, learners }) =>
        outgoing.length > 0
          ? [
              { voters, learners },
              { voters: outgoing, learners },
            ]
          : [{ voters, learners }],
      )
  }
}

const NOBODY: Members = {
  ...{ index: 0, voters: [], outgoing: [], learners: [], witnesses: [], addresses: {} },
}
