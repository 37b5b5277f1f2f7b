import type { AppliedBatch } from '../../lib/turn.ts'
import type { Index, NodeId, Term } from '../../lib/types.ts'
import { visitBatch } from './entries.ts'
import { Lives } from './lives.ts'
import type { MakeChecker } from './observation.ts'

/** What was applied at one index, and what came of it. */
interface Applied {
  readonly term: Term
  readonly print: number
  readonly outcome: string
  readonly by: NodeId
}

/**
 * If a server has applied an entry at an index, no server applies another one there (§5.4.3, State Machine
 * Safety), in no life. Each life applies every entry from the first one on, once, in order; and the same
 * entry comes to the same result everywhere.
 */
export const stateMachineSafety: MakeChecker = (violate) => {
  const applied: Applied[] = []
  const lives = new Lives<{ last: Index }>(() => ({ last: 0 }))

  const compare = (index: Index, now: Applied): void => {
    const known = (applied[index] ??= now)
    if (known.term !== now.term || known.print !== now.print) {
      violate(
        `${known.by} applied ${index}@${known.term}, ${now.by} applied ` +
          (known.term === now.term ? 'other bytes there' : `${index}@${now.term}`),
      )
    } else if (known.outcome !== now.outcome) {
      violate(
        `entry ${index} came to ${known.outcome} on ${known.by}, to ${now.outcome} on ${now.by}`,
      )
    }
  }

  const take = (by: NodeId, life: { last: Index }, { batch, outcomes }: AppliedBatch): void => {
    if (batch.index !== life.last + 1) {
      violate(`${by} applied entry ${batch.index} after entry ${life.last}`)
    }
    const expected = batch.kind === 'command' ? batch.count : 0
    if (outcomes.length !== expected) {
      violate(`${by} has ${outcomes.length} outcomes for the ${expected} of entry ${batch.index}`)
    }
    visitBatch(batch, batch.index, Infinity, (index, term, print) => {
      const outcome = outcomeOf(outcomes[index - batch.index])
      compare(index, { term, print, outcome, by })
    })
    life.last = batch.index + batch.count - 1
  }

  return {
    name: 'state machine safety',
    observe: (seen) => {
      if (seen.type !== 'step' || seen.step.applied.length === 0) return
      const life = lives.of(seen.id, seen.life)
      for (const batch of seen.step.applied) take(seen.id, life, batch)
    },
  }
}

/** An outcome in words; what the machine threw differs by its text only. */
function outcomeOf(outcome: unknown): string {
  if (typeof outcome !== 'object' || outcome === null) return 'nothing'
  if ('error' in outcome) return `the error ${String(outcome.error)}`
  return 'result' in outcome ? (JSON.stringify(outcome.result) ?? 'nothing') : 'nothing'
}
