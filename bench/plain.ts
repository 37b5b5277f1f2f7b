/** The engine's core with a loop written by hand in place of RxJS, driven inside the leader's process. */
import { setTimeout as sleep } from 'node:timers/promises'
import { drive, fail } from './harness/load.ts'
import { work, type Member, type Place } from './harness/worker.ts'
import { sum } from './machine.ts'
import { optionsOf } from './node.ts'
import { PlainNode } from './plain/node.ts'

async function start(place: Place): Promise<Member> {
  const node = new PlainNode(optionsOf(place, sum), fail)
  node.connect()
  while (node.leader === undefined) await sleep(5)
  return {
    leads: node.leader === place.id,
    drive: (load, meter) => drive((command, settle) => node.submit(command, settle), load, meter),
  }
}

work(start)
