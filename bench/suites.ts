import type { Subject } from './harness/cluster.ts'

/** What is compared: an engine, measured in turns with the yardstick. */
export interface Suite {
  readonly name: string
  readonly about: string
  readonly subject: Subject
  /** The fraction of the yardstick's commits per second that is aimed at, by what is outstanding. */
  readonly targets: Readonly<Partial<Record<number, number>>>
}

export const ceiling: Subject = { name: 'ceiling', script: 'ceiling.ts', way: '' }

export const suites: readonly Suite[] = [
  {
    name: 'propose',
    about: 'commands through the operator propose(node, { concurrency })',
    subject: { name: 'engine', script: 'engine.ts', way: 'propose' },
    targets: {},
  },
  {
    name: 'submit',
    about: 'commands through node.submit(command, settle)',
    subject: { name: 'engine', script: 'engine.ts', way: 'submit' },
    targets: {},
  },
  {
    name: 'blocking',
    about: 'the prototype itself, when each write to the disk holds up its process',
    subject: { name: 'blocking', script: 'ceiling.ts', way: 'blocking' },
    targets: {},
  },
]
