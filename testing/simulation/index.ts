export type { Administration } from './administration.ts'
export { chaos, chaosSchedule, scheduled, survivable, type ChaosOptions } from './chaos.ts'
export { VirtualClock } from './clock.ts'
export type {
  Aim,
  ClockFault,
  DiskFault,
  Fault,
  FaultEvent,
  FaultKind,
  NetworkFault,
  ProcessFault,
} from './faults.ts'
export type { Violation } from './journal.ts'
export { shrink } from './shrink.ts'
export { simulate, type Faults, type Report, type Simulation } from './simulate.ts'
export type { Command, StoreOptions } from './store.ts'
export type { Trouble } from './trouble.ts'
export type { Workload } from './workload.ts'
