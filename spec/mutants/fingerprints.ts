import type { Mutant } from './mutant.ts'
import { comparing } from './settings.ts'

/** Defects in how servers compare their states. */
export const fingerprints: readonly Mutant[] = [
  {
    name: 'compared-with-the-latest',
    known: ['F1'],
    defect: "The leader's fingerprint after one entry is compared with that after another.",
    file: 'lib/fingerprints.ts',
    find: 'const own = fingerprints.taken.find((it) => it.index === index)',
    replace: 'const own = fingerprints.taken.at(-1)',
    setting: comparing,
  },
]
