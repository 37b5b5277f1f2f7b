import type { State } from '../../lib/state.ts'
import type { Step } from '../../lib/turn.ts'
import type { Index, Members, NodeId, Term } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import type { Durable, MakeChecker, Observation } from './observation.ts'
import { namesOf, ReadMembers } from './readMembers.ts'

/**
 * A witness never leads or campaigns, nobody hands the leadership to it, and it keeps no command; nobody else has
 * entries without theirs (thesis §11.7.2). Every majority has a server that is none, and no server turns into one, or
 * from one into another. What a witness is sent was on the disk of a full voter: its vote would otherwise be
 * denied to all that a crash has left.
 */
export const witnesses: MakeChecker = (violate) => {
  const all = new Witnesses(violate)
  return { name: 'witnesses', observe: (seen) => all.observe(seen) }
}

class Witnesses {
  readonly #read = new ReadMembers()
  readonly #lives = new Lives<{ last: Index }>(() => ({ last: -1 }))
  readonly #disks = new Map<NodeId, Held>()
  /** As long as there is none, nothing needs to be known of disks. */
  #isOn = false

  constructor(private readonly violate: (message: string) => void) {}

  observe(seen: Observation): void {
    if (seen.type === 'durable') this.#store(seen)
    if (seen.type !== 'step' || !seen.step.state.booted) return
    const { id, life, step } = seen
    const { members } = step.state
    this.#compare(id, life, step.state)
    this.#isOn ||= members.witnesses.length > 0
    if (!this.#isOn) return
    this.#judgeSaved(id, step)
    if (members.witnesses.includes(id) && step.state.role.type !== 'follower') {
      this.violate(`${id} is a ${step.state.role.type} in term ${step.state.term}, and a witness`)
    }
    for (const { to, message } of step.send) {
      if (!members.witnesses.includes(to)) continue
      if (message.type === 'timeoutNow') this.violate(`${id} hands over to ${to}, a witness`)
      const last = message.type === 'append' ? message.batches.at(-1) : undefined
      if (last !== undefined)
        this.#judgeSent(id, to, members, last.index + last.count - 1, last.term)
    }
  }

  #store(seen: Durable): void {
    const { id, lastIndex, snapshot } = seen
    const held = this.#disks.get(id) ?? { entries: new Set(), snapshot: 0, disk: seen }
    this.#disks.set(id, held)
    held.disk = seen
    held.snapshot = Math.max(held.snapshot, snapshot?.mark.index ?? 0)
    if (this.#isOn) note(held, lastIndex)
  }

  /** Each configuration once, with the one before it. */
  #compare(id: NodeId, life: number, state: State): void {
    const memory = this.#lives.of(id, life)
    const all = this.#read.of(id, life, state)
    const last = all.at(-1)!.index
    if (last === memory.last) return
    all.forEach((now, i) => {
      if (now.index <= memory.last) return
      this.#judgeMembers(id, now)
      const before = all[i - 1]
      const turned = before === undefined ? [] : turnedBetween(before, now)
      for (const it of turned) {
        this.violate(`${id} made another kind of server of ${it} with the members ${now.index}`)
      }
    })
    memory.last = last
  }

  #judgeMembers(id: NodeId, members: Members): void {
    const { voters, outgoing } = members
    for (const group of [voters, outgoing]) {
      const few = group.filter((it) => members.witnesses.includes(it))
      if (few.length < Math.floor(group.length / 2) + 1) continue
      this.violate(`a majority of ${namesOf(members)} in the log of ${id} are witnesses`)
    }
  }

  #judgeSaved(id: NodeId, { save, state: { members } }: Step): void {
    const { voters, outgoing, learners } = members
    const isWitness = members.witnesses.includes(id)
    const isFull = !isWitness && [...voters, ...outgoing, ...learners].includes(id)
    for (const { kind, index } of save?.batches ?? []) {
      if (isWitness && (kind === 'command' || kind === 'request')) {
        this.violate(`${id}, a witness, was sent the commands from ${index} on`)
      }
      if (isFull && kind === 'withheld') this.violate(`${id} was sent no commands from ${index} on`)
    }
  }

  #judgeSent(id: NodeId, to: NodeId, members: Members, index: Index, term: Term): void {
    const full = [...members.voters, ...members.outgoing].filter(
      (it) => !members.witnesses.includes(it),
    )
    if (full.some((voter) => this.#hasHeld(voter, index, term))) return
    this.violate(
      `${id} sent ${index}@${term} to ${to}, a witness, before any full voter's disk had it`,
    )
  }

  #hasHeld(id: NodeId, index: Index, term: Term): boolean {
    const held = this.#disks.get(id)
    if (held === undefined) return false
    note(held, held.disk.lastIndex)
    return index <= held.snapshot || held.entries.has(keyOf(index, term))
  }
}

/** What a disk has held at any time. */
interface Held {
  readonly entries: Set<string>
  snapshot: Index
  disk: Durable
}

const keyOf = (index: Index, term: Term): string => `${index}@${term}`

/** Before an entry that is known, everything is. */
function note({ entries, disk }: Held, last: Index): void {
  for (let index = last; index > 0; index--) {
    const term = disk.termAt(index)
    if (term === undefined || entries.has(keyOf(index, term))) return
    entries.add(keyOf(index, term))
  }
}

/** Members of both that are witnesses in one of them alone. */
function turnedBetween(before: Members, now: Members): readonly NodeId[] {
  const { voters, outgoing, learners } = now
  const stayed = [...new Set([...voters, ...outgoing, ...learners])].filter((id) =>
    [before.voters, before.outgoing, before.learners].some((ids) => ids.includes(id)),
  )
  return stayed.filter((id) => before.witnesses.includes(id) !== now.witnesses.includes(id))
}
