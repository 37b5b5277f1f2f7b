import type { Kind } from '../kinds.ts'
import { clockJump } from './clockJump.ts'
import { cut, oneWayCut } from './cut.ts'
import { failingFsync } from './failingFsync.ts'
import type { Fault } from './fault.ts'
import { fullDisk } from './fullDisk.ts'
import { kill } from './kill.ts'
import { loss } from './loss.ts'
import { join, learner, rejoin, remove, replace } from './members.ts'
import { pause } from './pause.ts'
import { snapshot } from './snapshot.ts'
import { transfer } from './transfer.ts'

export const faults: Readonly<Record<Kind, Fault>> = {
  kill,
  pause,
  cut,
  oneWayCut,
  loss,
  clockJump,
  fullDisk,
  failingFsync,
  join,
  learner,
  remove,
  replace,
  rejoin,
  transfer,
  snapshot,
}

/** What is counted when a fault of a kind bites. */
export const bites: Readonly<Record<Kind, string>> = {
  kill: 'processes killed',
  pause: 'processes seen stopped',
  cut: 'packets dropped',
  oneWayCut: 'packets dropped',
  loss: 'packets dropped',
  clockJump: 'clocks seen wrong',
  fullDisk: 'servers out of room',
  failingFsync: 'writes and flushes failed',
  join: 'servers taken in',
  learner: 'learners promoted',
  remove: 'servers removed',
  replace: 'servers replaced',
  rejoin: 'servers back under a new name',
  transfer: 'leaderships handed over',
  snapshot: 'snapshots taken',
}
