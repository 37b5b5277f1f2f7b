import { askedInAdvance } from './askedInAdvance.ts'
import { boundedReads } from './boundedReads.ts'
import { clientPromises } from './clientPromises.ts'
import { committedNeverChanges } from './committedNeverChanges.ts'
import { compareAndSet } from './compareAndSet.ts'
import { confirmedReads } from './confirmedReads.ts'
import { convergence } from './convergence.ts'
import { cutOffLeader } from './cutOffLeader.ts'
import { durableCommit } from './durableCommit.ts'
import { electionSafety } from './electionSafety.ts'
import { exactlyOnce } from './exactlyOnce.ts'
import { leaderAppendOnly } from './leaderAppendOnly.ts'
import { leaderCompleteness } from './leaderCompleteness.ts'
import { linearizableHistory } from './linearizableHistory.ts'
import { logMatching } from './logMatching.ts'
import { mandate } from './mandate.ts'
import { membersInForce } from './membersInForce.ts'
import { membersSucceed } from './membersSucceed.ts'
import { monotone } from './monotone.ts'
import { notMembers } from './notMembers.ts'
import type { MakeChecker } from './observation.ts'
import { patience } from './patience.ts'
import { promises } from './promises.ts'
import { sameSnapshots } from './sameSnapshots.ts'
import { snapshotsStand } from './snapshotsStand.ts'
import { stalledLeader } from './stalledLeader.ts'
import { stateMachineSafety } from './stateMachineSafety.ts'
import { stateOfPrefix } from './stateOfPrefix.ts'
import { voteOnce } from './voteOnce.ts'
import { witnesses } from './witnesses.ts'

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
  mandate,
  askedInAdvance,
  promises,
  durableCommit,
  committedNeverChanges,
  monotone,
  // Snapshots (§7)
  snapshotsStand,
  sameSnapshots,
  stateOfPrefix,
  // Members (§6)
  membersInForce,
  membersSucceed,
  notMembers,
  compareAndSet,
  witnesses,
  // Leaders and reads
  cutOffLeader,
  stalledLeader,
  confirmedReads,
  boundedReads,
  patience,
  // What clients see
  clientPromises,
  exactlyOnce,
  linearizableHistory,
  convergence,
]
