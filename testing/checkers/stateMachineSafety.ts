import type { AppliedBatch } from '../../lib/turn.ts'
import type { Index, NodeId, Term } from '../../lib/types.ts'
import { isAlike, visitBatch } from './entries.ts'
import { Lives } from './lives.ts'
import type { MakeChecker } from './observation.ts'

/** What was applied at one index, and what came of it. */
interface Applied {
  readonly term: Term
  readonly print: number
  readonly outcome: string
  readonly by: NodeId
}

interface Life {
  /** The last entry that is applied. */
  last: Index
  /** What the last snapshot that became the state stands for. */
  restored: Index
}

/**
 * If a server has applied an entry at an index, no server applies another one there (§5.4.3, State Machine
 * Safety), in no life. Each life applies every entry from the first one on, or from behind a snapshot,
 * once and in order; and the same entry comes to the same result everywhere.
 */
export const stateMachineSafety: MakeChecker = (violate) => {
  const outcomes = new Outcomes(violate)
  const lives = new Lives<Life>(() => ({ last: 0, restored: 0 }))

  const take = (by: NodeId, life: Life, applied: AppliedBatch): void => {
    const { batch } = applied
    const last = batch.index + batch.count - 1
    if (last <= life.restored) {
      // What waited to be applied when a snapshot took its place was applied before it, or not at all.
      if (applied.outcomes.length > 0) outcomes.compare(by, applied)
      return
    }
    if (batch.index !== life.last + 1) {
      violate(`${by} applied entry ${batch.index} after entry ${life.last}`)
    }
    outcomes.compare(by, applied)
    life.last = last
  }

  const restore = (by: NodeId, life: Life, index: Index): void => {
    if (index < life.last) violate(`${by} went back from entry ${life.last} to snapshot ${index}`)
    life.last = life.restored = index
  }

  return {
    name: 'state machine safety',
    observe: (seen) => {
      if (seen.type !== 'step') return
      const { applied, restore: piece } = seen.step
      if (applied.length === 0 && piece === undefined) return
      const life = lives.of(seen.id, seen.life)
      for (const batch of applied) take(seen.id, life, batch)
      if (piece?.isLast === true) restore(seen.id, life, piece.mark.index)
    },
  }
}

/** What each entry came to, as whoever applied it first has seen. */
class Outcomes {
  readonly #known: Applied[] = []

  constructor(private readonly violate: (message: string) => void) {}

  compare(by: NodeId, { batch, outcomes }: AppliedBatch): void {
    const expected = batch.kind === 'command' || batch.kind === 'request' ? batch.count : 0
    // A request that was applied before comes to nothing a second time.
    const isFewer = batch.kind === 'request' && outcomes.length < expected
    if (outcomes.length !== expected && !isFewer) {
      const what = `the ${expected} of entry ${batch.index}`
      this.violate(`${by} has ${outcomes.length} outcomes for ${what}`)
    }
    const all = new Map(outcomes.map((it) => [(it as { readonly index: Index }).index, it]))
    visitBatch(batch, batch.index, Infinity, (index, term, print) => {
      const outcome = outcomeOf(all.get(index))
      this.#compare(index, { term, print, outcome, by })
    })
  }

  #compare(index: Index, now: Applied): void {
    const known = (this.#known[index] ??= now)
    if (known.term !== now.term || !isAlike(known.print, now.print)) {
      this.violate(
        `${known.by} applied ${index}@${known.term}, ${now.by} applied ` +
          (known.term === now.term ? 'other bytes there' : `${index}@${now.term}`),
      )
    } else if (Number.isNaN(known.print) || Number.isNaN(now.print)) {
      // At a witness it comes to nothing.
      if (Number.isNaN(known.print)) this.#known[index] = now
    } else if (known.outcome !== now.outcome) {
      this.violate(
        `entry ${index} came to ${known.outcome} on ${known.by}, to ${now.outcome} on ${now.by}`,
      )
    }
  }
}

/** An outcome in words; what the machine threw differs by its text only. */
function outcomeOf(outcome: unknown): string {
  if (typeof outcome !== 'object' || outcome === null) return 'nothing'
  if ('error' in outcome) return `the error ${String(outcome.error)}`
  return 'result' in outcome ? (JSON.stringify(outcome.result) ?? 'nothing') : 'nothing'
}
