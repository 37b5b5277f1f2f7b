import { durability } from './durability.ts'
import { elections } from './elections.ts'
import { fingerprints } from './fingerprints.ts'
import { forwarding } from './forwarding.ts'
import type { Mutant } from './mutant.ts'
import { members } from './members.ts'
import { proposals } from './proposals.ts'
import { reads } from './reads.ts'
import { replication } from './replication.ts'
import { snapshots } from './snapshots.ts'
import { witnesses } from './witnesses.ts'

/** Every defect that can be planted. */
export const mutants: readonly Mutant[] = [
  ...elections,
  ...replication,
  ...durability,
  ...reads,
  ...proposals,
  ...snapshots,
  ...members,
  ...forwarding,
  ...witnesses,
  ...fingerprints,
]
