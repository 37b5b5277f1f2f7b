/** The engine from the built package, by its name, driven inside the leader's process. */
import type { RaftNode } from 'rxraft'
import { propose } from 'rxraft/operators'
import { commands, drive, fail, sampling, type Load } from './harness/load.ts'
import type { Meter } from './harness/meter.ts'
import { work, type Member, type Place } from './harness/worker.ts'
import { sum } from './machine.ts'
import { leads, run } from './node.ts'

type Node = RaftNode<Uint8Array, number>

async function start(place: Place): Promise<Member> {
  const node: Node = run(place, sum, place.way === 'default' ? { electionTimeout: [150, 300] } : {})
  const leaders = counted(node)
  return {
    leads: await leads(node),
    acts: { leaders },
    drive: (load, meter) => {
      if (place.way === 'propose') proposed(node, load, meter)
      else drive((command, settle) => node.submit(command, settle), load, meter)
    },
  }
}

/** How many leaders this server has known one after the other. */
function counted({ leader$ }: Node): () => number {
  let count = 0
  leader$.subscribe((leader) => {
    if (leader !== undefined) count++
  })
  return () => count
}

/** The closed loop that the operator makes by itself, reading a source without end at its own pace. */
function proposed(node: Node, load: Load, meter: Meter): void {
  if (!('outstanding' in load)) throw new TypeError('the operator makes a closed loop')
  const { outstanding } = load
  const every = sampling(outstanding)
  const began: number[] = []
  let index = 0
  const source = endless(outstanding, every, began, meter)
  propose(node, { concurrency: outstanding })(source).subscribe({
    next: () => {
      if (index++ % every === 0) meter.sample(performance.now() - began.shift()!)
      meter.count++
    },
    error: fail,
  })
}

function* endless(
  count: number,
  every: number,
  began: number[],
  meter: Meter,
): Generator<Uint8Array> {
  const round = commands(count)
  for (let index = 0; meter.isOn; index = (index + 1) % count) {
    if (index % every === 0) began.push(performance.now())
    yield round[index]!
  }
}

work(start)
