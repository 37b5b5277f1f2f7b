import { simulate, type Simulation } from 'rxraft/testing'
import { packed, Reducers } from './lib/reducers.ts'
import { list } from './list.ts'
import { figure, type Result } from './report.ts'
import type { Suite } from './suite.ts'
import { allocated, perSecond } from './timing.ts'

/** Proposals of a turn. */
const TOGETHER = [1, 16, 256]

/** A look at the heap comes after so many turns. */
const TURNS = 50
const LOOKS = 41

export const lib: Suite = {
  name: 'lib',
  about:
    'three reducers passing messages to each other, without streams, disks and wires; and the simulator',
  run: ({ isQuick, runs, seconds }, _ground, print) => {
    const found = [
      ...TOGETHER.flatMap((count) => turns(count, runs, seconds)),
      ...simulator(isQuick ? 3_000 : 60_000, runs),
    ]
    print(list(found))
    return Promise.resolve(found)
  },
}

function turns(count: number, runs: number, seconds: number): Result[] {
  const proposals = packed(count)
  const [steps, bytes]: number[][] = [[], []]
  for (let run = 0; run < runs; run++) {
    const reducers = new Reducers()
    const before = reducers.steps
    const rate = perSecond(() => reducers.propose(proposals), seconds)
    const turns = (reducers.committed - 1) / count
    steps!.push((rate * (reducers.steps - before)) / turns)
    const some = (): void => {
      for (let turn = 0; turn < TURNS; turn++) reducers.propose(proposals)
    }
    bytes!.push(allocated(some, LOOKS) / TURNS / count)
  }
  const named = { suite: 'lib', case: `${count} proposals a turn` }
  return [
    figure({ ...named, metric: 'reducer', unit: 'steps/s', values: steps! }),
    figure({ ...named, metric: 'allocated', unit: 'B/proposal', values: bytes! }),
  ]
}

/** How many of the events that its trace has a line for a simulation goes through in a second. */
function simulator(duration: number, runs: number): Result[] {
  const simulation: Simulation = { nodes: 5, seed: 1, duration }
  const { length } = simulate({ ...simulation, trace: true }).trace!
  const values = Array.from({ length: runs }, () => {
    const began = performance.now()
    simulate(simulation)
    return (length * 1000) / (performance.now() - began)
  })
  const named = { suite: 'lib', case: 'simulator, five servers' }
  return [figure({ ...named, metric: 'trace', unit: 'events/s', values })]
}
