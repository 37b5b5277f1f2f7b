import type { Log } from '../../lib/log.ts'
import type { Index, Term } from '../../lib/types.ts'
import { isAlike, lastCommon, visitLog } from './entries.ts'
import { Lives } from './lives.ts'
import type { MakeChecker } from './observation.ts'

/** What is committed never changes, on any server or in any life (§5.4). */
export const committedNeverChanges: MakeChecker = (violate) => {
  const committed: { readonly term: Term; readonly print: number; readonly by: string }[] = []
  const lives = new Lives<{ through: Index; log: Log | undefined }>(() => ({
    through: 0,
    log: undefined,
  }))
  return {
    name: 'committed never changes',
    observe: (seen) => {
      if (seen.type !== 'step') return
      const { log, commitIndex } = seen.step.state
      const life = lives.of(seen.id, seen.life)
      if (life.log !== undefined && life.log.cells !== log.cells) {
        // What was cut off and written again is compared again.
        life.through = Math.min(life.through, lastCommon(life.log, log))
      }
      life.log = log
      if (commitIndex <= life.through) return
      visitLog(log, life.through + 1, commitIndex, (index, term, print) => {
        const known = committed[index]
        if (known === undefined) committed[index] = { term, print, by: seen.id }
        else if (known.term !== term || !isAlike(known.print, print)) {
          violate(
            `${known.by} committed ${index}@${known.term}, ${seen.id} committed ` +
              (known.term === term ? 'other bytes there' : `${index}@${term}`),
          )
        } else if (Number.isNaN(known.print)) {
          committed[index] = { term, print, by: seen.id }
        }
      })
      life.through = commitIndex
    },
  }
}
