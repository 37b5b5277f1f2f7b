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
  {
    name: 'compared-before-it-is-there',
    known: ['F1'],
    defect: 'What a follower is yet to compare is compared with the next that it has.',
    file: 'lib/fingerprints.ts',
    find: 'const found = news.find(({ index }) => index === awaited?.index)',
    replace: 'const found = news.at(-1)',
    setting: comparing,
  },
]
