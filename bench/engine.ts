/**
 * The engine as a user has it, from the built package by its name: files with fsync and TCP on
 * loopback, driven inside the leader's process.
 */
import { join } from 'node:path'
import { filter, firstValueFrom } from 'rxjs'
import { bytes, raft, type Machine, type RaftNode } from 'rxraft'
import { propose } from 'rxraft/operators'
import { file } from 'rxraft/storage/file'
import { tcp } from 'rxraft/transport/tcp'
import { closedLoop, commands, fail, sampling } from './harness/load.ts'
import type { Meter } from './harness/meter.ts'
import { work, type Member, type Place } from './harness/worker.ts'

type Node = RaftNode<Uint8Array, number>

/** Adds up one byte of each command. */
const machine: Machine<number, Uint8Array, number> = {
  initial: 0,
  apply: (sum, command) => {
    const next = (sum + command[4]!) >>> 0
    return [next, next]
  },
}

async function start({ id, members, directory, way }: Place): Promise<Member> {
  const addresses = members.map((member) => [member.id, `127.0.0.1:${member.port}`] as const)
  const peers = Object.fromEntries(addresses)
  const node: Node = raft({
    id,
    members: members.map((member) => member.id),
    machine,
    codec: bytes,
    // A machine that stalls for a moment must not end the run with an election.
    electionTimeout: [1_000, 2_000],
    storage: file(join(directory, id)),
    transport: tcp({ id, cluster: 'bench', listen: peers[id]!, peers }),
  })
  node.status$.subscribe({ error: fail })
  node.connect()
  const leader = await firstValueFrom(node.leader$.pipe(filter((it) => it !== undefined)))
  if (leader.id !== id) return { leads: false }
  return {
    leads: true,
    drive: (outstanding, meter) => {
      if (way === 'propose') proposed(node, outstanding, meter)
      else closedLoop((command, settle) => node.submit(command, settle), outstanding, meter)
    },
  }
}

/** The closed loop that the operator makes by itself, reading a source without end at its own pace. */
function proposed(node: Node, outstanding: number, meter: Meter): void {
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
