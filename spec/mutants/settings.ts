import type { Setting } from './mutant.ts'

/** Leaders that lead on for long after others have been elected, and clients that notice. */
export const twoLeaders: Setting = {
  seconds: 5,
  engine: { electionTimeout: [60, 400], heartbeat: 20 },
  faults: { kinds: ['partition', 'bridge'], every: 400 },
  workload: { clients: 10, think: 20, keys: 1 },
}

/** Messages so late that they belong to another leadership when they arrive. */
export const lateMessages: Setting = {
  seconds: 5,
  engine: { electionTimeout: [20, 300], heartbeat: 10 },
  faults: { kinds: ['delay', 'reorder', 'lose', 'partition'], every: 200 },
  workload: { clients: 10, think: 20, keys: 1 },
}

/** Elections one after another, and messages that outlive several of them. */
export const electionStorm: Setting = {
  seconds: 5,
  engine: { electionTimeout: [10, 60], heartbeat: 5 },
  faults: { kinds: ['delay', 'reorder'], every: 150 },
  workload: { clients: 10, think: 20, keys: 1 },
}
