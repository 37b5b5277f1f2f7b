/** The engine with a large state, driven inside the leader's process. */
import { firstValueFrom, lastValueFrom } from 'rxjs'
import type { Machine, Plan, RaftNode } from 'rxraft'
import { drive } from './harness/load.ts'
import { work, type Member, type Place } from './harness/worker.ts'
import * as inBuffers from './large/buffers.ts'
import * as inRows from './large/state.ts'
import { leads, run } from './node.ts'

const rows: Machine<inRows.Large, Uint8Array, number> = {
  initial: inRows.empty,
  apply: inRows.apply,
  snapshot: inRows.pieces,
  restore: (state, piece) => inRows.restore(state, piece as number | inRows.Piece),
}

const buffers: Machine<inBuffers.Buffers, Uint8Array, number> = {
  initial: inBuffers.empty,
  apply: inBuffers.apply,
  snapshot: inBuffers.pieces,
  restore: (state, piece) => inBuffers.restore(state, piece as number | inBuffers.Part),
}

/** Commands after which a server takes a snapshot by itself, where it is to do so. */
const SNAPSHOT_ENTRIES = 20_000

async function start(place: Place): Promise<Member> {
  const [state, way] = place.way.split(' ')
  const tuning = {
    // A newcomer must find nothing but the snapshot.
    snapshotTailBytes: 64 * 1024,
    ...(way === 'automatic' && { snapshotEntries: SNAPSHOT_ENTRIES }),
  }
  const node = state === 'rows' ? run(place, rows, tuning) : run(place, buffers, tuning)
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
  for (let i = 0; i < inRows.GROUPS; i++) await lastValueFrom(node.propose(inRows.growth()))
}

work(start)
