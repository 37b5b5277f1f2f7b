import type { Mutant } from './mutant.ts'

const file = 'operators/engine/proposals.ts'

/** Defects in what whoever proposed is told. */
export const proposals: readonly Mutant[] = [
  {
    name: 'applied-when-appended',
    known: ['bug 36', 'bug 52'],
    defect: "A proposal is reported as applied once it is in the leader's log.",
    file,
    find: 'if (settle.queued !== undefined) guarded(() => settle.queued?.(index + i, term))',
    replace: 'guarded(() => settle.applied({} as R, index + i, term))',
  },
  {
    name: 'superseded-as-applied',
    known: ['bug 50', 'F42'],
    defect: "A proposal whose place another leader's entry took is reported as applied.",
    file,
    find: 'if (isLost) fail(settle, new Superseded(index))',
    replace: 'if (isLost) guarded(() => settle.applied({} as R, index, batch.term))',
  },
  {
    name: 'matched-by-index-alone',
    known: ['bug 15', 'bug 50'],
    defect: 'A proposal takes the outcome of whatever entry stands at its index.',
    file,
    find: `if (head.term >= batch.term && head.next > last) return
      const isLost = head.term !== batch.term`,
    replace: `if (head.next > last) return
      const isLost = outcomes[head.next - batch.index] === undefined`,
  },
  {
    name: 'unknown-as-failed',
    known: ['bug 50', 'F42'],
    defect: 'A proposal that may yet take effect is reported as one that will not.',
    file: 'operators/engine/proposing.ts',
    find: "      const expire = (): void => subscriber.error(new Timeout(timeout, 'unknown'))",
    replace: "      const expire = (): void => subscriber.error(new Timeout(timeout, 'none'))",
  },
  {
    name: 'stopped-as-failed',
    known: ['F42', 'F7'],
    defect: 'What a stopped node had in its log is reported as lost for certain.',
    file,
    find: "failAll(raised, new Stopped('unknown', options))",
    replace: "failAll(raised, new Stopped('none', options))",
  },
  {
    name: 'stopped-in-silence',
    known: ['bug 50', 'F42'],
    defect: 'Whoever waits for a command in the log of a node that stops is told nothing.',
    file,
    find: "failAll(raised, new Stopped('unknown', options))",
    replace: '',
  },
  {
    name: 'deadlines-never-end',
    known: ['bug 71', 'F5'],
    defect: 'Whoever waits for an answer waits as long as it takes.',
    file: 'operators/engine/deadlines.ts',
    find: 'if (ms === Infinity || this.#isStopped) return NEVER',
    replace: 'if (ms > 0 || this.#isStopped) return NEVER',
  },
]
