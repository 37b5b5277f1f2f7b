import { join } from 'node:path'
import { filter, firstValueFrom } from 'rxjs'
import { bytes, raft, type Machine, type RaftNode, type RaftOptions } from 'rxraft'
import { file } from 'rxraft/storage/file'
import { tcp } from 'rxraft/transport/tcp'
import { fail } from './harness/load.ts'
import type { Place } from './harness/worker.ts'

type Tuning<S, R> = Partial<
  Pick<
    RaftOptions<S, Uint8Array, R>,
    'electionTimeout' | 'snapshotEntries' | 'snapshotBytes' | 'snapshotTailBytes'
  >
>

/** What a server of the cluster is made of, as a user has it: files with fsync, and TCP on loopback. */
export function optionsOf<S, R>(
  { id, members, joins, directory }: Place,
  machine: Machine<S, Uint8Array, R>,
  tuning: Tuning<S, R> = {},
): RaftOptions<S, Uint8Array, R> {
  const peers = Object.fromEntries(members.map((member) => [member.id, `127.0.0.1:${member.port}`]))
  return {
    id,
    members: joins ? [] : members.map((member) => member.id),
    machine,
    codec: bytes,
    // A machine that stalls for a moment must not end the run with an election.
    electionTimeout: [1_000, 2_000],
    storage: file(join(directory, id)),
    transport: tcp({ id, cluster: 'bench', listen: peers[id]!, peers }),
    ...tuning,
  }
}

/** Such a server, running. */
export function run<S, R>(
  place: Place,
  machine: Machine<S, Uint8Array, R>,
  tuning: Tuning<S, R> = {},
): RaftNode<Uint8Array, R> {
  const node = raft(optionsOf(place, machine, tuning))
  node.status$.subscribe({ error: fail })
  node.connect()
  return node
}

/** Whether it is the node that is elected. */
export async function leads({ id, leader$ }: RaftNode<Uint8Array, unknown>): Promise<boolean> {
  const leader = await firstValueFrom(leader$.pipe(filter((it) => it !== undefined)))
  return leader.id === id
}
