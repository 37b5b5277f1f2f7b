import type { Log } from '../../lib/log.ts'
import type { Term } from '../../lib/types.ts'
import { lastCommon, lastOf } from './entries.ts'
import { Lives } from './lives.ts'
import type { MakeChecker } from './observation.ts'

/**
 * A leader never overwrites or deletes entries in its own log, it only appends (§5.3); what a snapshot
 * stands for may go.
 */
export const leaderAppendOnly: MakeChecker = (violate) => {
  const leaders = new Lives<{ term: Term; log: Log | undefined }>(() => ({
    term: 0,
    log: undefined,
  }))
  return {
    name: 'leader append-only',
    observe: (seen) => {
      if (seen.type !== 'step') return
      const { term, role, log } = seen.step.state
      const before = leaders.of(seen.id, seen.life)
      if (role.type === 'leader' && before.log !== undefined && before.term === term) {
        const kept = lastCommon(before.log, log)
        if (kept < lastOf(before.log, before.log.length)) {
          violate(`${seen.id}, leader of term ${term}, changed its log behind entry ${kept}`)
        }
      }
      before.term = term
      before.log = role.type === 'leader' ? log : undefined
    },
  }
}
