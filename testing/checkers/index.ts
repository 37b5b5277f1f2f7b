import { clientPromises } from './clientPromises.ts'
import { committedNeverChanges } from './committedNeverChanges.ts'
import { convergence } from './convergence.ts'
import { durableCommit } from './durableCommit.ts'
import { electionSafety } from './electionSafety.ts'
import { exactlyOnce } from './exactlyOnce.ts'
import { leaderAppendOnly } from './leaderAppendOnly.ts'
import { leaderCompleteness } from './leaderCompleteness.ts'
import { linearizableHistory } from './linearizableHistory.ts'
import { logMatching } from './logMatching.ts'
import { monotone } from './monotone.ts'
import type { MakeChecker } from './observation.ts'
import { promises } from './promises.ts'
import { stateMachineSafety } from './stateMachineSafety.ts'
import { voteOnce } from './voteOnce.ts'

export { linearizable, type Operation, type Verdict } from './linearizability.ts'
export type { Checker, MakeChecker, Observation, Request, Response } from './observation.ts'

/** Every checker. Each knows one rule, watches the whole run on its own and works in O(what is new). */
export const checkers: readonly MakeChecker[] = [
  // Figure 3 of the paper
  electionSafety,
  leaderAppendOnly,
  logMatching,
  leaderCompleteness,
  stateMachineSafety,
  // What they rest on
  voteOnce,
  promises,
  durableCommit,
  committedNeverChanges,
  monotone,
  // What clients see
  clientPromises,
  exactlyOnce,
  linearizableHistory,
  convergence,
]
