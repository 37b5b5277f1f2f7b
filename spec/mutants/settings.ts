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

/** Members that change all the time, in a cluster that is cut and crashes. */
export const restlessMembers: Setting = {
  nodes: 3,
  seconds: 8,
  faults: { every: 300, longest: 1_000 },
  administration: { changes: 250, transfers: 1_000 },
  workload: { think: 50 },
}

/** Leaders that answer by leases, hand over, and are paused or cut off; clocks that differ as far as they may. No changes. */
export const leases: Setting = {
  nodes: 3,
  seconds: 8,
  engine: { leaseReads: true, maxClockDrift: 0.1 },
  faults: {
    kinds: ['partition', 'pause', 'delay', 'hold', 'drift'],
    drift: 0.1,
    every: 200,
    aim: 0.7,
  },
  administration: { changes: 1e9, transfers: 300 },
  workload: { clients: 10, think: 20, keys: 1 },
}

/** Leaders that hand over all the time, on links that lose: whoever was asked to campaign may be alone in a later term. */
export const handovers: Setting = {
  nodes: 3,
  seconds: 8,
  faults: { kinds: ['lose', 'partition'], every: 300 },
  administration: { changes: 1e9, transfers: 150 },
  workload: { think: 50 },
}

/** Logs of which nothing stays, so that whoever was away for a moment is sent a snapshot. */
export const shortLogs: Setting = {
  nodes: 3,
  seconds: 5,
  engine: { snapshotEntries: 2, snapshotTailBytes: 0 },
  faults: { every: 150, longest: 1_000 },
  workload: { think: 50 },
}

/** The same, with leaders cut off that go on alone, and a power failure when they are sent what they missed. */
export const tornInstalls: Setting = {
  ...shortLogs,
  faults: { kinds: ['partition', 'tearSnapshot'], every: 100, longest: 700, aim: 0.6 },
  workload: { clients: 10, think: 20 },
}

/** The same on disks that are slow, on which a snapshot may be durable before what was saved earlier. */
export const slowInstalls: Setting = {
  ...tornInstalls,
  faults: {
    ...{ kinds: ['partition', 'pause', 'slowDisk', 'tearSnapshot'], every: 60 },
    ...{ longest: 1_500, aim: 0.3 },
  },
}

/** The same, with leaders that are cut off just long enough to be deposed and to miss what is forgotten then. */
export const deposedLeaders: Setting = {
  ...tornInstalls,
  faults: { kinds: ['partition'], every: 300, longest: 800, aim: 1 },
}

/** Servers that compare their states all the time, some of which are behind and some begin with a snapshot. */
export const comparing: Setting = {
  ...{ nodes: 3, seconds: 8, engine: { fingerprintEntries: 3, snapshotEntries: 20 } },
  faults: { every: 300, longest: 1_000 },
  workload: { clients: 12, think: 10 },
}

/** Answers that are long on their way from leaders that last, and clients that notice. */
export const lateAnswers: Setting = {
  ...{ nodes: 3, seconds: 5, engine: { electionTimeout: [800, 1_000], heartbeat: 100 } },
  faults: { kinds: ['delay'], every: 200 },
  workload: { clients: 12, think: 30, keys: 3 },
}

/** Two servers with a state and one without, of which any may be away, and others that come. */
export const oneWitness: Setting = { ...restlessMembers, witnesses: 1 }

/** Followers that pass proposals on over links that lose and repeat, to leaders that do not last. */
export const passedOn: Setting = {
  nodes: 3,
  seconds: 5,
  engine: { forward: true },
  faults: { kinds: ['lose', 'echo', 'delay', 'partition', 'crash'], every: 150 },
  workload: { clients: 10, think: 20 },
}
