import type { NodeId, Term } from '../../lib/types.ts'
import { encode, hashesOf, type Hashes, type Renaming } from './encode.ts'
import type { Invariant } from './invariants.ts'
import type { Fact } from './server.ts'
import type { Entry, Local, Outcome } from './universe.ts'

/** What must be remembered of the past to judge the present, and what has been used of the bounds. */
export interface Past {
  readonly elected: ReadonlyMap<Term, NodeId>
  /** Everything that was ever committed anywhere, with the term in which it first was. */
  readonly committed: readonly Committed[]
  readonly reads: readonly Read[]
  /** Reads asked, commands proposed, crashes and repetitions so far. */
  readonly asked: number
  readonly proposed: number
  readonly crashed: number
  readonly repeated: number
}

export interface Committed extends Entry {
  readonly in: Term
}

/** A read that waits at a server; `floor` is how much was committed when it was asked. */
export interface Read {
  readonly at: NodeId
  readonly ticket: number
  readonly floor: number
}

export interface History extends Past {
  readonly hashes: Hashes
  readonly next: Map<string, History>
}

const beginning: Past = {
  elected: new Map(),
  committed: [],
  reads: [],
  asked: 0,
  proposed: 0,
  crashed: 0,
  repeated: 0,
}

/** Raised by a turn that the past forbids. */
export type Wrong = (invariant: Invariant, message: string) => void

/** Histories, each once. */
export class Histories {
  readonly first: History
  readonly #known = new Map<string, History>()

  constructor(private readonly renamings: readonly Renaming[]) {
    this.first = this.of(beginning)
  }

  of(past: Past): History {
    const { elected, committed, reads, asked, proposed, crashed, repeated } = past
    const plain = { elected, committed, reads, asked, proposed, crashed, repeated }
    const text = encode(plain, this.renamings[0]!)
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const history = { ...plain, hashes: hashesOf(plain, this.renamings), next: new Map() }
    this.#known.set(text, history)
    return history
  }

  /** After a turn of a server. */
  turned(
    before: History,
    old: Local,
    facts: readonly Fact[],
    outcome: Outcome,
    wrong: Wrong,
  ): History {
    const asked = asking(before, old.server.id, facts)
    const after = answering(
      settling(electing(asked, old, outcome, wrong), outcome, wrong),
      outcome,
      wrong,
    )
    return after === before ? before : this.of(after)
  }

  crashed(before: History, id: NodeId): History {
    return this.#after(before, `${id} crashed`, () => {
      const reads = before.reads.filter(({ at }) => at !== id)
      return { ...before, reads, crashed: before.crashed + 1 }
    })
  }

  repeated(before: History): History {
    return this.#after(before, 'repeated', () => ({ ...before, repeated: before.repeated + 1 }))
  }

  /** The same step from the same history is looked up. */
  #after(before: History, key: string, step: () => Past): History {
    const known = before.next.get(key)
    if (known !== undefined) return known
    const after = this.of(step())
    before.next.set(key, after)
    return after
  }
}

/** What was asked of the cluster in a turn. */
const asking = (past: Past, at: NodeId, facts: readonly Fact[]): Past =>
  facts.reduce<Past>((now, fact) => {
    switch (fact.type) {
      case 'proposed':
        return { ...now, proposed: now.proposed + 1 }
      case 'read': {
        const read = { at, ticket: fact.ticket, floor: now.committed.length }
        return { ...now, asked: now.asked + 1, reads: [...now.reads, read] }
      }
      default:
        return now
    }
  }, past)

/** Election safety (§5.2): at most one leader a term. */
function electing(past: Past, old: Local, { local }: Outcome, wrong: Wrong): Past {
  const { id, state } = local.server
  if (state.role.type !== 'leader') return past
  const was = old.server.state
  if (was.role.type === 'leader' && was.term === state.term) return past
  const other = past.elected.get(state.term)
  if (other !== undefined)
    wrong('election safety', `${other} and ${id} both lead in term ${state.term}`)
  return { ...past, elected: new Map(past.elected).set(state.term, id) }
}

/** State machine safety (§5.4.3): what is committed anywhere is committed everywhere, for ever. */
function settling(past: Past, { local }: Outcome, wrong: Wrong): Past {
  const { id, state } = local.server
  const { list } = local.memory
  const news: Committed[] = []
  for (let index = 1; index <= state.commitIndex; index++) {
    const entry = list[index - 1]
    const known = past.committed[index - 1]
    if (entry === undefined) continue
    if (known === undefined) news.push({ ...entry, in: state.term })
    else if (known.text !== entry.text) {
      wrong(
        'state machine safety',
        `entry ${index} is ${known.text}, and ${id} commits ${entry.text}`,
      )
    }
  }
  return news.length === 0 ? past : { ...past, committed: [...past.committed, ...news] }
}

/** A read sees everything that was committed when it was asked (thesis §6.4). */
function answering(past: Past, { local, answers }: Outcome, wrong: Wrong): Past {
  const { id, state } = local.server
  const settled = new Set<number>()
  for (const answer of answers) {
    if (answer.type !== 'readable' && answer.type !== 'unreadable') continue
    settled.add(answer.ticket)
    const read = past.reads.find(({ ticket }) => ticket === answer.ticket)
    if (answer.type === 'readable' && state.appliedIndex < (read?.floor ?? Infinity)) {
      wrong(
        'reads',
        `${id} reads at ${state.appliedIndex}, and ${read?.floor} was committed before`,
      )
    }
  }
  if (settled.size === 0) return past
  return { ...past, reads: past.reads.filter(({ ticket }) => !settled.has(ticket)) }
}
