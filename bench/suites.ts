import { compared } from './compare.ts'
import { flat } from './flat.ts'
import { snapshot } from './snapshot.ts'
import type { Suite } from './suite.ts'

export const suites: readonly Suite[] = [
  compared({
    name: 'propose',
    about: 'commands through the operator propose(node, { concurrency })',
    subject: { name: 'engine', script: 'engine.ts', way: 'propose' },
  }),
  compared({
    name: 'submit',
    about: 'commands through node.submit(command, settle)',
    subject: { name: 'engine', script: 'engine.ts', way: 'submit' },
  }),
  compared({
    name: 'blocking',
    about: 'the prototype itself, when each write to the disk holds up its process',
    subject: { name: 'blocking', script: 'ceiling.ts', way: 'blocking' },
  }),
  snapshot,
  flat,
]
