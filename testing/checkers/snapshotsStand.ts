import type { Step } from '../../lib/turn.ts'
import type { Index, NodeId, Position, Term } from '../../lib/types.ts'
import { Disks } from './disks.ts'
import { termIn, visitLog } from './entries.ts'
import { Lives } from './lives.ts'
import type { Durable, MakeChecker, Observation } from './observation.ts'

/**
 * A snapshot stands for nothing that is not committed, and never for less than the one before it on the same
 * disk; nothing goes, from a log or from a disk, that no durable snapshot stands for (§7).
 */
export const snapshotsStand: MakeChecker = (violate) => {
  const marks = new Marks(violate)
  return {
    name: 'snapshots stand for what is committed',
    observe: (seen) => marks.observe(seen),
  }
}

class Marks {
  readonly #disks = new Disks()
  /** Of what is committed. */
  readonly #terms: Term[] = [0]
  readonly #lives = new Lives<{ base: Index; mark: Index }>(() => ({ base: 0, mark: 0 }))

  constructor(private readonly violate: (message: string) => void) {}

  observe(seen: Observation): void {
    if (seen.type === 'durable') this.#store(seen)
    this.#disks.observe(seen)
    if (seen.type !== 'step') return
    const { id, life, step } = seen
    const known = this.#lives.of(id, life)
    const durable = this.#durable(id)
    this.#learn(step)
    this.#compact(id, step, known.base, durable)
    this.#adopt(id, step, known.mark, durable)
    known.base = step.state.log.base.index
    known.mark = step.state.snapshot?.index ?? 0
  }

  #durable(id: NodeId): Index {
    return this.#disks.of(id)?.snapshot?.mark.index ?? 0
  }

  #store({ id, snapshot }: Durable): void {
    const before = this.#durable(id)
    if ((snapshot?.mark.index ?? 0) < before) {
      this.violate(`the disk of ${id} lost its snapshot ${before}`)
    }
    if (snapshot === undefined || snapshot.mark.index === before) return
    this.#judge(snapshot.mark, `the snapshot on the disk of ${id}`)
  }

  #learn({ state }: Step): void {
    const { log, commitIndex } = state
    if (commitIndex < this.#terms.length) return
    visitLog(log, this.#terms.length, commitIndex, (index, term) => {
      if (index === this.#terms.length) this.#terms.push(term)
    })
  }

  #compact(id: NodeId, { state, disk }: Step, before: Index, durable: Index): void {
    const { base } = state.log
    for (const request of disk) {
      if (request.type !== 'forget' || request.before <= durable + 1) continue
      this.violate(`${id} forgets entry ${request.before - 1}, its disk has snapshot ${durable}`)
    }
    if (base.index === before) return
    this.#judge(base, `the beginning of the log of ${id}`)
    if (base.index <= durable) return
    this.violate(`${id} dropped entry ${base.index}, its disk has snapshot ${durable}`)
  }

  #adopt(id: NodeId, { state }: Step, before: Index, durable: Index): void {
    const { snapshot, log } = state
    const mark = snapshot?.index ?? 0
    if (mark < before) this.violate(`the snapshot of ${id} fell from ${before} to ${mark}`)
    if (snapshot === undefined) return
    if (mark > durable) this.violate(`${id} counts on snapshot ${mark}, its disk has ${durable}`)
    if (mark !== before) this.#judge(snapshot, `the snapshot of ${id}`)
    if (termIn(log, mark) === snapshot.term) return
    this.violate(`${id} has a snapshot through ${mark}, which its log does not go on from`)
  }

  #judge({ index, term }: Position, what: string): void {
    const known = this.#terms[index]
    if (known === term) return
    this.violate(
      `${what} stands for ${index}@${term}, ` +
        (known === undefined
          ? 'which nobody has committed'
          : `where ${index}@${known} is committed`),
    )
  }
}
