/** The engine with a large state, driven inside the leader's process. */
import { firstValueFrom, lastValueFrom } from 'rxjs'
import type { Machine, Plan, RaftNode } from 'rxraft'
import { drive } from './harness/load.ts'
import { work, type Member, type Place } from './harness/worker.ts'
import {
  apply,
  empty,
  growth,
  GROUPS,
  pieces,
  restore,
  type Large,
  type Piece,
} from './large/state.ts'
import { leads, run } from './node.ts'

const machine: Machine<Large, Uint8Array, number> = {
  initial: empty,
  apply,
  snapshot: pieces,
  restore: (state, piece) => restore(state, piece as number | Piece),
}

/** Commands after which a server takes a snapshot by itself, where it is to do so. */
const SNAPSHOT_ENTRIES = 20_000

async function start(place: Place): Promise<Member> {
  const node = run(place, machine, {
    // A newcomer must find nothing but the snapshot.
    snapshotTailBytes: 64 * 1024,
    ...(place.way === 'automatic' && { snapshotEntries: SNAPSHOT_ENTRIES }),
  })
  return {
    leads: !place.joins && (await leads(node)),
    drive: (load, meter) => drive((command, settle) => node.submit(command, settle), load, meter),
    acts: {
      fill: () => fill(node),
      snapshot: () => firstValueFrom(node.snapshot()),
      change: (plan) => lastValueFrom(node.change(plan as Plan)),
      restored: () => firstValueFrom(node.restored$),
    },
  }
}

async function fill(node: RaftNode<Uint8Array, number>): Promise<void> {
  for (let i = 0; i < GROUPS; i++) await lastValueFrom(node.propose(growth()))
}

work(start)
