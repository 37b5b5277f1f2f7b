import { bites } from './faults/index.ts'
import type { Kind } from './kinds.ts'
import type { Tally } from './tally.ts'
import type { Evidence, Verdict } from './verdict.ts'

/** The problems that are printed in full. */
const SHOWN = 20

/** What a run came to, for a person. */
export function report(title: string, verdict: Verdict, evidence: Evidence, tally: Tally): string {
  const { problems, doubts, operations, acknowledged, leaderChanges, memberChanges } = evidence
  const { replayed, bounded, expired, witnesses } = evidence
  const faults = Object.entries(tally).map(([kind, { asked, bit, bites: n }]) => {
    const unit = bites[kind as Kind]
    return `  ${kind.padEnd(14)}${pad(bit)} of ${pad(asked)} bit ${pad(n)} ${unit}`
  })
  const more = problems.length > SHOWN ? [`  and ${problems.length - SHOWN} more`] : []
  return [
    `${title}: ${verdict}`,
    `  ${operations} operations, ${acknowledged} acknowledged, ${replayed} of them when asked for again`,
    `  ${bounded} reads within a bound, ${expired} keys whose time was over, ${witnesses} witnesses`,
    `  ${leaderChanges} changes of the leader, ${memberChanges} of the members`,
    ...faults,
    ...problems.slice(0, SHOWN).map((problem) => `  WRONG: ${problem}`),
    ...more,
    ...doubts.map((doubt) => `  undecided: ${doubt}`),
  ].join('\n')
}

const pad = (n: number): string => String(n).padStart(6)

/** The last line for machines: of each kind, how often it really bit. */
export function line(verdict: Verdict, evidences: readonly Evidence[], tally: Tally): string {
  const total = (of: (evidence: Evidence) => number): number =>
    evidences.reduce((sum, evidence) => sum + of(evidence), 0)
  return JSON.stringify({
    verdict,
    operations: total(({ operations }) => operations),
    acknowledged: total(({ acknowledged }) => acknowledged),
    replayed: total(({ replayed }) => replayed),
    bounded: total(({ bounded }) => bounded),
    expired: total(({ expired }) => expired),
    witnesses: total(({ witnesses }) => witnesses),
    leaderChanges: total(({ leaderChanges }) => leaderChanges),
    memberChanges: total(({ memberChanges }) => memberChanges),
    faults: Object.fromEntries(Object.entries(tally).map(([kind, { bit }]) => [kind, bit])),
  })
}
