import type { Log } from '../../lib/log.ts'
import type { Index, Term } from '../../lib/types.ts'
import { isAlike, lastCommon, termIn, visitLog } from './entries.ts'
import { Lives } from './lives.ts'
import type { MakeChecker } from './observation.ts'

/** An entry as it was first seen, with the term of the one before it. */
interface Known {
  readonly term: Term
  readonly print: number
  readonly before: Term
  readonly seen: string
}

/**
 * If two logs contain an entry with the same index and term, they are identical in all entries through
 * that index (§5.3, Log Matching). It is enough that entries of one index and term are always the same
 * and always follow the same term: the rest is induction.
 */
export const logMatching: MakeChecker = (violate) => {
  const known: Known[][] = []
  const windows = new Lives<{ log: Log | undefined }>(() => ({ log: undefined }))

  const compare = (index: Index, entry: Known): void => {
    const place = (known[index] ??= [])
    const same = place.find(({ term }) => term === entry.term)
    if (same === undefined) place.push(entry)
    else if (!isAlike(same.print, entry.print)) {
      violate(`entry ${index}@${entry.term} differs between ${same.seen} and ${entry.seen}`)
    } else if (same.before !== entry.before) {
      violate(
        `entry ${index}@${entry.term} follows term ${same.before} at ${same.seen} ` +
          `and term ${entry.before} at ${entry.seen}`,
      )
    } else if (Number.isNaN(same.print)) {
      // From a witness alone one does not know all of it.
      place[place.indexOf(same)] = entry
    }
  }

  return {
    name: 'log matching',
    observe: (seen) => {
      if (seen.type !== 'step') return
      const window = windows.of(seen.id, seen.life)
      const { log } = seen.step.state
      if (window.log === log) return
      const from = (window.log === undefined ? log.base.index : lastCommon(window.log, log)) + 1
      window.log = log
      let before = termIn(log, from - 1) ?? 0
      visitLog(log, from, Infinity, (index, term, print) => {
        compare(index, { term, print, before, seen: seen.id })
        before = term
      })
    },
  }
}
