/** Three nodes within one process, driven where the leader is. */
import { filter, firstValueFrom, merge, Subscription, type SchedulerLike } from 'rxjs'
import { bytes, raft } from 'rxraft'
import { memory } from 'rxraft/storage/memory'
import { network } from 'rxraft/transport/memory'
import { drive, fail } from './harness/load.ts'
import { work, type Member } from './harness/worker.ts'
import { sum } from './machine.ts'

const IDS = ['a', 'b', 'c']

/** Messages arrive in a turn of the event loop of their own: else a loop of commands would let nothing else in. */
const arrivals = {
  now: () => performance.now(),
  schedule: (work: () => void) => {
    const due = setImmediate(work)
    return new Subscription(() => clearImmediate(due))
  },
} as SchedulerLike

async function start(): Promise<Member> {
  const net = network({ scheduler: arrivals })
  const nodes = IDS.map((id) => {
    const transport = net.join(id)
    const storage = memory()
    // A machine that stalls for a moment must not end the run with an election.
    const electionTimeout = [1_000, 2_000] as const
    return raft({
      id,
      members: IDS,
      machine: sum,
      codec: bytes,
      storage,
      transport,
      electionTimeout,
    })
  })
  for (const node of nodes) {
    node.status$.subscribe({ error: fail })
    node.connect()
  }
  const leaders$ = merge(...nodes.map(({ leader$ }) => leader$))
  const { id } = await firstValueFrom(leaders$.pipe(filter((leader) => leader !== undefined)))
  const leader = nodes.find((node) => node.id === id)!
  return {
    leads: true,
    drive: (load, meter) => drive((command, settle) => leader.submit(command, settle), load, meter),
  }
}

work(start)
